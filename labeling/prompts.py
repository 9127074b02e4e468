"""Prompts of the planner and the annotators' guideline, in versions that never change.

Publishing a prompt makes it the project's current one: queries imported from then on are pinned to
it, and evaluation uses it. Queries that are there keep the prompt they came under.
"""

import re

from db.access import projects, prompts
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.prompt import missing_placeholders
from schemas.prompt_versions import Guideline, PromptVersionView, PublishedPrompt

MAX_TEXT = 200_000
_NAME = re.compile(r"[^\s@/\\\x00-\x1f][^@/\\\x00-\x1f]{0,79}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def publish_prompt(
    database: Database, who: Actor, template: str, *, name: str = "planner"
) -> PublishedPrompt:
    """Publish a template and make it the current one.

    Raises:
        InvalidInput: `prompts.blank`, `prompts.too_long`, `prompts.control_character`,
            `prompts.name_unusable` or `prompts.placeholders_missing`.
    """
    who.require("admin")
    _check_text(template)
    if not _NAME.fullmatch(name):
        raise InvalidInput("prompts.name_unusable", name=name[:80])
    missing = missing_placeholders(template)
    if missing:
        names = ", ".join(f"{{{each}}}" for each in missing)
        raise InvalidInput("prompts.placeholders_missing", names=names)
    with database.transaction() as session:
        take_turns(session, f"prompts of {who.project_id}")
        known = prompts.find_same_prompt(session, who.project_id, name, template)
        row = known or prompts.add_prompt(session, who.project_id, name, template, who.person_id)
        reference = f"{row.name}@{row.version}"
        if known is None:
            add_event(session, who, "prompt", row.id, "published", after=reference)
        _make_current(session, who, row.id)
        return PublishedPrompt(version_id=row.id, reference=reference, is_new=known is None)


def list_prompts(database: Database, who: Actor) -> list[PromptVersionView]:
    """Every published prompt, by name, the newest first."""
    with database.reading() as session:
        current = projects.read_settings(session, who.project_id).current_prompt_version_id
        return prompts.list_prompts(session, who.project_id, current)


def get_prompt(database: Database, who: Actor, reference: str) -> PromptVersionView:
    """The prompt of `NAME` (the newest) or `NAME@N`.

    Raises:
        NotFound: `prompts.not_found`.
    """
    name, _, version = reference.strip().partition("@")
    for each in list_prompts(database, who):
        if each.name == name and version in ("", str(each.version)):
            return each
    raise NotFound("prompts.not_found", reference=reference)


def publish_guideline(database: Database, who: Actor, text: str) -> Guideline:
    """Publish what annotators go by; the same text again is not a new version.

    Raises:
        InvalidInput: `prompts.blank`, `prompts.too_long` or `prompts.control_character`.
    """
    who.require("admin")
    _check_text(text)
    with database.transaction() as session:
        take_turns(session, f"prompts of {who.project_id}")
        newest = prompts.find_guideline(session, who.project_id)
        if newest is not None and newest.text == text:
            return newest
        version = prompts.add_guideline(session, who.project_id, text, who.person_id)
        add_event(session, who, "guideline", str(version), "published")
        published = prompts.find_guideline(session, who.project_id)
    assert published is not None
    return published


def find_guideline(database: Database, who: Actor) -> Guideline | None:
    """The newest guideline, if any was published."""
    with database.reading() as session:
        return prompts.find_guideline(session, who.project_id)


def _make_current(session: Session, who: Actor, version_id: str) -> None:
    settings = projects.read_settings(session, who.project_id)
    if settings.current_prompt_version_id != version_id:
        changed = settings.model_copy(update={"current_prompt_version_id": version_id})
        projects.write_settings(session, who.project_id, changed)


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidInput("prompts.blank")
    if len(text) > MAX_TEXT:
        raise InvalidInput("prompts.too_long", most=MAX_TEXT, count=len(text))
    if _CONTROL.search(text):
        raise InvalidInput("prompts.control_character")
