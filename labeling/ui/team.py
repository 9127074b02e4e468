"""Team: who works in this project, in which role, and what the project has decided."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import accounts, projects
from labeling.ui.errors import notice, presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, choice, hidden, number, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.team_trust import build_trust_tab
from labeling.ui.view import Node, card, on_pick, picked_id, pill, shown, table, title, view
from schemas.people import ROLES, Actor, Member, Role


class PeopleShown(NamedTuple):
    """What changes when people change; the order is the order of the outputs."""

    people: Any
    person: Any
    picked: Any
    role: Any
    new_name: Any
    new_password: Any
    password: Any
    notice: Any


class SettingsShown(NamedTuple):
    """The settings form and the notice."""

    think_min: Any
    think_max: Any
    banned: Any
    overlap: Any
    overlap_share: Any
    lease: Any
    goal: Any
    hide_author: Any
    notice: Any


class Said(NamedTuple):
    """Only something to tell."""

    notice: Any


class TeamHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> PeopleShown:
        """Show everybody."""
        return self._people(who_asks(request, "admin"), "")

    @presented
    def on_load_settings(self, request: gr.Request) -> SettingsShown:
        """Show what the project has decided."""
        who = who_asks(request, "admin")
        who.require("admin")
        kept = projects.get_settings(self.services.database, who)
        return SettingsShown(
            kept.think.min,
            kept.think.max,
            "\n".join(kept.banned_words),
            kept.overlap,
            round(100 * kept.overlap_share, 1),
            kept.lease_minutes,
            kept.daily_goal,
            kept.hide_author,
            gr.skip(),
        )

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> PeopleShown:
        """Show one person."""
        return self._people(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_add(self, name: str, password: str, role: Role, request: gr.Request) -> PeopleShown:
        """Add somebody."""
        who = who_asks(request, "admin")
        person_id = accounts.add_person(self.services.database, who, name, password, role)
        return self._people(who, person_id, self.words("team.added", name=name.strip()))

    @presented
    def on_role(self, person_id: str, role: Role, request: gr.Request) -> PeopleShown:
        """Give another role."""
        who = who_asks(request, "admin")
        accounts.set_role(self.services.database, who, person_id, role)
        return self._people(who, person_id, self.words("team.saved"))

    @presented
    def on_password(self, person_id: str, password: str, request: gr.Request) -> PeopleShown:
        """Give a new password."""
        who = who_asks(request, "admin")
        accounts.reset_password(self.services.database, who, person_id, password)
        return self._people(who, person_id, self.words("team.password_set"))

    @presented
    def on_deactivate(self, person_id: str, request: gr.Request) -> PeopleShown:
        """End somebody's access."""
        who = who_asks(request, "admin")
        accounts.deactivate(self.services.database, who, person_id)
        return self._people(who, person_id, self.words("team.deactivated"))

    @presented
    def on_reactivate(self, person_id: str, request: gr.Request) -> PeopleShown:
        """Give access again."""
        who = who_asks(request, "admin")
        accounts.reactivate(self.services.database, who, person_id)
        return self._people(who, person_id, self.words("team.saved"))

    @presented
    def on_settings(
        self,
        think_min: float,
        think_max: float,
        banned: str,
        overlap: float,
        overlap_share: float,
        lease: float,
        goal: float,
        hide_author: bool,
        request: gr.Request,
    ) -> Said:
        """Decide anew."""
        who = who_asks(request, "admin")
        before = projects.get_settings(self.services.database, who)
        projects.change_settings(
            self.services.database,
            who,
            think=before.think.model_dump() | {"min": think_min, "max": think_max},
            banned_words=tuple(word for line in banned.splitlines() if (word := line.strip())),
            overlap=overlap,
            overlap_share=overlap_share / 100,
            lease_minutes=lease,
            daily_goal=goal,
            hide_author=hide_author,
        )
        return Said(say(self.words("team.saved")))

    @presented
    def on_project(self, name: str, request: gr.Request) -> Said:
        """Make a project."""
        projects.create_project(self.services.database, who_asks(request, "admin"), name)
        return Said(say(self.words("team.project_made", name=name.strip())))

    def _people(self, who: Actor, person_id: str, told: str = "") -> PeopleShown:
        everybody = accounts.list_people(self.services.database, who)
        picked = next((each for each in everybody if each.person_id == person_id), None)
        people = card(self.words("team.people"), self._table(everybody))
        if picked is None:
            return unchanged(PeopleShown, people=shown(people))
        used_up: Any = "" if told else gr.skip()
        return PeopleShown(
            shown(people, picked=person_id if told else ""),
            shown(self._person(picked)),
            person_id,
            picked.role,
            # What was typed is used up: no password stays on the screen.
            used_up,
            used_up,
            used_up,
            say(told) if told else gr.skip(),
        )

    def _table(self, everybody: list[Member]) -> Node:
        heads = [self.words(f"team.{each}") for each in ("name", "role", "state", "since")]
        rows = [
            (
                each.person_id,
                (
                    each.name,
                    self.words(f"shell.role_{each.role}"),
                    self._state(each),
                    f"{each.since:%Y-%m-%d}",
                ),
            )
            for each in everybody
        ]
        return table(heads, rows, empty=self.words("team.nobody"))

    def _person(self, picked: Member) -> Node:
        return card(self.words("team.person"), ["h2", {}, picked.name], right=self._state(picked))

    def _state(self, member: Member) -> Node:
        if member.is_active:
            return pill(self.words("team.active"), "ok")
        return pill(self.words("team.inactive"), "quiet")


@dataclass(frozen=True, slots=True)
class TeamPage:
    """What is on the screen."""

    people: gr.HTML
    person: gr.HTML
    picked: gr.Textbox
    role: gr.Dropdown
    set_role: gr.Button
    password: gr.Textbox
    set_password: gr.Button
    deactivate: gr.Button
    reactivate: gr.Button
    new_name: gr.Textbox
    new_password: gr.Textbox
    new_role: gr.Dropdown
    add: gr.Button
    settings: tuple[gr.Number | gr.Textbox | gr.Checkbox, ...]
    save: gr.Button
    project: gr.Textbox
    make_project: gr.Button
    notice: gr.HTML


def build_team_page(services: Services, words: Words) -> TeamPage:
    """The page, with its events; gold items and pauses have a tab of their own."""
    told = notice()
    with gr.Tabs(elem_id="team-tabs"):
        with gr.Tab(words("team.tab_people"), id="people"):
            page = _lay_out(words, told)
        build_trust_tab(services, words, told)
    handlers = TeamHandlers(services, words)
    people = [
        page.people,
        page.person,
        page.picked,
        page.role,
        page.new_name,
        page.new_password,
        page.password,
        page.notice,
    ]
    on_page_load(handlers.on_load, None, people)
    on_page_load(handlers.on_load_settings, None, [*page.settings, page.notice])
    on_pick(page.people, handlers.on_pick, None, people)
    new = [page.new_name, page.new_password, page.new_role]
    page.add.click(handlers.on_add, new, people, **DIRECT)
    page.set_role.click(handlers.on_role, [page.picked, page.role], people, **DIRECT)
    page.set_password.click(handlers.on_password, [page.picked, page.password], people, **DIRECT)
    page.deactivate.click(handlers.on_deactivate, page.picked, people, **DIRECT)
    page.reactivate.click(handlers.on_reactivate, page.picked, people, **DIRECT)
    page.save.click(handlers.on_settings, list(page.settings), page.notice, **DIRECT)
    page.make_project.click(handlers.on_project, page.project, page.notice, **DIRECT)
    return page


def _lay_out(words: Words, told: gr.HTML) -> TeamPage:
    roles = [(words(f"shell.role_{role}"), role) for role in ROLES]
    parts: dict[str, Any] = {}
    with gr.Row():
        with gr.Column(scale=3):
            parts["people"] = view("team-people", parameter="person")
            with gr.Column(elem_classes="pw-form"):
                title(words("team.add_title"))
                with gr.Row():
                    parts["new_name"] = text(words, "team.name")
                    parts["new_password"] = text(words, "team.password", type="password")
                    parts["new_role"] = choice(words, "team.new_role", roles, value="annotator")
                parts["add"] = button(words, "team.add", "primary")
        with gr.Column(scale=2):
            parts["person"] = view(
                "team-person", first=card(words("team.person"), words("team.pick_somebody"))
            )
            with gr.Column(elem_classes="pw-form"):
                parts["picked"] = hidden("team.picked")
                with gr.Row():
                    parts["role"] = choice(words, "team.role", roles)
                    parts["set_role"] = button(words, "team.set_role")
                with gr.Row():
                    parts["password"] = text(words, "team.new_password", type="password")
                    parts["set_password"] = button(words, "team.set_password")
                with gr.Row():
                    parts["deactivate"] = button(words, "team.deactivate", "stop")
                    parts["reactivate"] = button(words, "team.reactivate")
            parts |= _lay_out_settings(words)
    return TeamPage(**parts, notice=told)


def _lay_out_settings(words: Words) -> dict[str, Any]:
    with gr.Column(elem_classes="pw-form"):
        title(words("team.settings"))
        with gr.Row():
            think_min = number(words, "team.think_min", precision=0, minimum=1)
            think_max = number(words, "team.think_max", precision=0, minimum=1)
        with gr.Row():
            overlap = number(words, "team.overlap", precision=0, minimum=1, maximum=9)
            share = number(words, "team.overlap_share", minimum=0.1, maximum=100)
        with gr.Row():
            lease = number(words, "team.lease", precision=0, minimum=1)
            goal = number(words, "team.goal", precision=0, minimum=1)
        banned = text(words, "team.banned", lines=3)
        hide_author = check(words, "team.hide_author")
        save = button(words, "team.save", "primary")
    with gr.Column(elem_classes="pw-form"):
        title(words("team.project_title"))
        with gr.Row():
            project = text(words, "team.project")
            make_project = button(words, "team.make_project")
    settings = (think_min, think_max, banned, overlap, share, lease, goal, hide_author)
    return {"settings": settings, "save": save, "project": project, "make_project": make_project}
