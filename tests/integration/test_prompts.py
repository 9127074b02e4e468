"""Prompts and guidelines: versions that never change, one of them current."""

import pytest

from db.engine import Database
from labeling.projects import create_project, get_settings
from labeling.prompts import (
    find_guideline,
    get_prompt,
    list_prompts,
    publish_guideline,
    publish_prompt,
)
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.people import Actor
from schemas.prompt import built_in_template
from schemas.sentences import LANGUAGES, Language
from tests.factories import a_person, a_project

TEMPLATE = "You plan.\n{experts}\n{example}\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_project_begins_with_the_prompt_of_its_language(
    database: Database, language: Language
) -> None:
    founder = a_project(database, language=language)
    project_id = create_project(database, founder, "second")
    who = Actor(founder.person_id, founder.name, project_id, "second", "admin", language)
    found = {each.reference: each for each in list_prompts(database, who)}
    assert found.keys() == {"planner-zh@1", "planner-en@1"}
    current = found[f"planner-{language}@1"]
    assert current.is_current
    assert current.template == built_in_template(language)
    assert get_settings(database, who).dialect == f"{language}@1"


def test_publishing_makes_a_prompt_current_and_keeps_the_older(database: Database) -> None:
    who = a_project(database)
    first = publish_prompt(database, who, TEMPLATE, name="mine")
    second = publish_prompt(database, who, TEMPLATE + "Be brief.", name="mine")
    assert (first.reference, second.reference) == ("mine@1", "mine@2")
    assert get_settings(database, who).current_prompt_version_id == second.version_id
    assert get_prompt(database, who, "mine@1").template == TEMPLATE
    assert get_prompt(database, who, "mine").reference == "mine@2"


def test_the_same_template_is_published_once(database: Database) -> None:
    who = a_project(database)
    first = publish_prompt(database, who, TEMPLATE, name="mine")
    again = publish_prompt(database, who, TEMPLATE, name="mine")
    assert (again.version_id, again.is_new) == (first.version_id, False)


@pytest.mark.parametrize(
    ("template", "name", "code"),
    [
        (" \n", "mine", "prompts.blank"),
        ("{experts}", "mine", "prompts.placeholders_missing"),
        (TEMPLATE + "\0", "mine", "prompts.control_character"),
        (TEMPLATE * 9000, "mine", "prompts.too_long"),
        (TEMPLATE, "a@b", "prompts.name_unusable"),
    ],
)
def test_an_unusable_prompt_is_refused(
    sqlite_database: Database, template: str, name: str, code: str
) -> None:
    who = a_project(sqlite_database)
    with pytest.raises(InvalidInput) as refusal:
        publish_prompt(sqlite_database, who, template, name=name)
    assert refusal.value.code == code
    assert all(refusal.value.sentence(language) for language in LANGUAGES)


def test_an_unknown_prompt_is_not_found(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    for reference in ("other", "planner@2", "", "@"):
        with pytest.raises(NotFound):
            get_prompt(sqlite_database, who, reference)


def test_a_guideline_has_versions(database: Database) -> None:
    who = a_project(database)
    assert find_guideline(database, who) is None
    assert publish_guideline(database, who, "# One").version == 1
    assert publish_guideline(database, who, "# One").version == 1
    assert publish_guideline(database, who, "# Two").version == 2
    found = find_guideline(database, a_person(database, who.project_id, "annotator"))
    assert found is not None
    assert (found.text, found.published_by) == ("# Two", who.name)


def test_only_an_admin_publishes(database: Database) -> None:
    annotator = a_person(database, a_project(database).project_id, "annotator")
    with pytest.raises(NotAllowed):
        publish_prompt(database, annotator, TEMPLATE)
    with pytest.raises(NotAllowed):
        publish_guideline(database, annotator, "text")
