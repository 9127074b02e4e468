"""The header above every page: navigation, today's progress, who is there."""

import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from labeling.annotate import progress
from labeling.commenting import count_waiting
from labeling.own_keys import list_keys
from labeling.projects import list_projects
from labeling.ui.i18n import Words
from labeling.ui.pages import pages_of
from labeling.ui.session import Services
from schemas.keys import DESKS
from schemas.people import Actor

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of the header, as texts of one language."""

    returned: int
    returned_text: str
    comments: int
    comments_text: str
    today_text: str
    today_percent: int


def header_counts(services: Services, who: Actor, words: Words) -> Counts:
    """What this person did today and what came back to them."""
    found = progress(services.database, who)
    waiting = count_waiting(services.database, who)
    return Counts(
        returned=found.returned_to_me,
        returned_text=words("shell.returned", count=found.returned_to_me),
        comments=waiting,
        comments_text=words("shell.comments", count=waiting),
        today_text=words("shell.today", done=found.mine_today, goal=found.daily_goal),
        today_percent=min(100, 100 * found.mine_today // max(1, found.daily_goal)),
    )


def header_html(services: Services, who: Actor, words: Words, page: str) -> str:
    """The header of a page."""
    keys = list_keys(services.database, who, page) if page in DESKS else None
    other = "en" if words.language == "zh" else "zh"
    return render(
        "header.html",
        words,
        who=who,
        page=page,
        pages=[entry.name for entry in pages_of(who)],
        projects=list_projects(services.database, who),
        counts=header_counts(services, who, words),
        other=other,
        keys=json.dumps(keys),
    )


def render(template: str, words: Words, **values: object) -> str:
    """A template of ours with escaped values."""
    return _TEMPLATES.get_template(template).render(words=words, **values)


def document_attributes(words: Words, *, is_signed_in: bool) -> Markup:
    """Attributes of `<html>`: the language, and what the early script needs."""
    lang = "zh-CN" if words.language == "zh" else "en"
    early = json.dumps({"close": words("shell.close")}, ensure_ascii=False)
    signed_in = Markup(' data-signed-in="1"') if is_signed_in else Markup("")
    return Markup('lang="{}" data-words="{}"{}').format(lang, early, signed_in)
