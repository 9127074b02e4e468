"""What an admin sees in a project in which nobody has asked anything yet: where to begin."""

from labeling import experts
from labeling.projects import list_projects
from labeling.ui.i18n import Words
from labeling.ui.session import Services
from labeling.ui.view import Node, card, node, pill
from schemas.people import Actor

_STEPS = ("experts", "queries", "synthesis", "team")


def first_steps(services: Services, who: Actor, words: Words) -> Node:
    """From an empty project to work for a team; the demo for those who look around."""
    projects = list_projects(services.database, who)
    demo = next((each for each in projects if each.is_demo and each.id != who.project_id), None)
    has_list = bool(experts.list_versions(services.database, who))
    return card(
        words("first_steps.title"),
        *([node("p", words("first_steps.demo", name=demo.name))] if demo else []),
        node(
            "ol", *(_step(each, words, is_done=each == "experts" and has_list) for each in _STEPS)
        ),
    )


def _step(name: str, words: Words, *, is_done: bool) -> Node:
    # Queries are imported on this very page.
    href = None if name == "queries" else f"/{words.language}/{name}"
    link = node("a" if href else "b", words(f"first_steps.{name}"), href=href)
    done = [" ", pill(words("first_steps.done"), "ok")] if is_done else []
    about = node("div", words(f"first_steps.{name}_about"), cls="pw-mute")
    return node("li", link, *done, about)
