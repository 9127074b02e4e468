"""The demo project: what a newcomer clicks through, written by hand (see README.md beside)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import orjson

from db.access import demo, lists
from db.engine import Database
from labeling import experts, intake, projects, prompts
from labeling.accounts import command_line_actor
from labeling.synthesis.replies import read_body, read_suggestion
from schemas.errors import NotFound
from schemas.intake import ImportKind
from schemas.people import Actor
from schemas.project import ThinkTarget
from schemas.sentences import Language
from schemas.settings import Settings

PROJECT = "demo"
MODEL = "handwritten-demo"
BENCHMARK = "merchant-standard"
_FOLDER = Path(__file__).parent
_LISTS = (
    ("experts.merchant-en.v1.json", ""),
    ("experts.merchant.v1.json", ""),
    ("experts.merchant.v2.json", "人群运营专家从策略推荐专家中拆出"),
)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What stands in the demo project now; `is_new` unless it was all there before."""

    is_new: bool
    queries: int
    history: int
    suggestions: int
    questions: int


def load_demo(database: Database, settings: Settings) -> DemoReport:
    """Make the demo project and fill it; loading it again adds nothing and changes nothing.

    Interrupted, it goes on where it stood, since each file is imported under an id of its own.
    """
    who = _demo_admin(database)
    before = _count(database, who, is_new=False)
    if before.questions and before.suggestions == len(list(_rows("replies.jsonl"))):
        return before
    for name, note in _LISTS:
        experts.publish(database, who, (_FOLDER / name).read_bytes(), note=note)
    prompts.publish_guideline(database, who, (_FOLDER / "guideline.md").read_text("utf-8"))
    projects.change_settings(
        database, who, think=ThinkTarget(min=30, max=200), banned_words=("微信",), daily_goal=20
    )
    errors = settings.home / "import-errors"
    _speak(database, who, "zh")
    _import(database, who, errors, "history.jsonl", "history")
    _import(database, who, errors, "queries.zh.jsonl", "queries")
    _import(database, who, errors, "benchmark.jsonl", "benchmark")
    _speak(database, who, "en")
    _import(database, who, errors, "queries.en.jsonl", "queries")
    _speak(database, who, "zh")
    _add_replies(database, who)
    return _count(database, who, is_new=True)


def _demo_admin(database: Database) -> Actor:
    try:
        return command_line_actor(database, PROJECT)
    except NotFound:
        founder = replace(command_line_actor(database, "main"), language="zh")
        projects.create_project(database, founder, PROJECT, is_demo=True)
        return command_line_actor(database, PROJECT)


def _speak(database: Database, who: Actor, language: Language) -> None:
    """Pin what is imported next to the prompt, the dialect and the list of a language."""
    prompt = prompts.get_prompt(database, who, f"planner-{language}")
    reference = "merchant" if language == "zh" else "merchant-en"
    projects.change_settings(
        database,
        who,
        current_prompt_version_id=prompt.version_id,
        current_list_version_id=experts.get_list(database, who, reference)[0],
        dialect=f"{language}@1",
    )


def _import(database: Database, who: Actor, errors: Path, name: str, kind: ImportKind) -> None:
    intake.import_file(
        database,
        who,
        _FOLDER / name,
        kind=kind,
        errors_dir=errors,
        name=BENCHMARK if kind == "benchmark" else None,
        import_id=f"{who.project_id}.{name}",
    )


def _add_replies(database: Database, who: Actor) -> None:
    with database.transaction() as session:
        queries = demo.find_demo_queries(session, who.project_id)
        pinned = {
            each: lists.find_list(session, who.project_id, each)
            for each in {query.list_version_id for query in queries.values()}
        }
        for row in _rows("replies.jsonl"):
            query = queries[row["query"]]
            expert_list = pinned[query.list_version_id]
            assert expert_list is not None
            body = _body(row)
            demo.add_demo_reply(
                session,
                who.project_id,
                query,
                read_suggestion(read_body(body), query.dialect, expert_list),
                candidate=row["candidate"],
                model=MODEL,
                raw_reply=body,
            )


def _body(row: dict[str, Any]) -> bytes:
    """The reply as an endpoint would have sent it."""
    message = {"role": "assistant", "content": row["content"]}
    if "reasoning" in row:
        message["reasoning_content"] = row["reasoning"]
    is_cut = "<think>" in row["content"] and "</think>" not in row["content"]
    finish = "length" if is_cut else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return orjson.dumps({"model": MODEL, "choices": [choice]})


def _rows(name: str) -> Iterator[dict[str, Any]]:
    for line in (_FOLDER / name).read_bytes().splitlines():
        yield cast(dict[str, Any], orjson.loads(line))


def _count(database: Database, who: Actor, *, is_new: bool) -> DemoReport:
    with database.reading() as session:
        queries, history, suggestions, questions = demo.count_demo(session, who.project_id)
    return DemoReport(is_new, queries, history, suggestions, questions)
