"""Rows to export, and bundles of them, made by plain functions."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from db.engine import Database
from db.tables import Annotation, Project, Revision, Suggestion
from db.tables import Query as QueryRow
from db.tables.base import new_id
from exports.bundle import (
    begin_bundle,
    bundle_folder,
    get_bundle,
    write_rows,
)
from exports.preview import preview_recipe
from schemas.clusters import cluster_key
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.recipe import BundleRecipe, read_recipe
from schemas.settings import Settings
from tests.factories import EXPERTS, a_person

PlainPlan = dict[str, Any]
DECIDED = datetime(2026, 11, 1, 12, tzinfo=UTC)
SUGGESTED = {"formats": ["sft"], "sft": {"sources": [{"kind": "suggestions"}]}}
ACCEPTED = {"formats": ["grpo"], "grpo": {"sources": [{"kind": "accepted"}]}}


def a_plan(rewritten: str, *experts: str) -> PlainPlan:
    """A plan whose experts come one after the other; the first of the list by default."""
    names = experts or EXPERTS[:1]
    steps = [
        {"expert": name, "sub_questions": [f"{rewritten}（{name}）"], "order": order}
        for order, name in enumerate(names, start=1)
    ]
    return {"rewritten_query": rewritten, "steps": steps}


def a_trace(length: int = 80) -> str:
    """Thinking of so many characters."""
    words = [f"第{number}点看{EXPERTS[number % 5]}。" for number in range(length // 8 + 1)]
    return "".join(words)[:length]


def a_pinned_query(
    database: Database,
    who: Actor,
    text: str,
    *,
    kind: str = "queries",
    history: list[dict[str, str]] | None = None,
    **columns: Any,
) -> str:
    """A query of a kind, pinned to what is current, in the cluster of its text; its id."""
    query_id = columns.pop("id", None) or new_id()
    with database.transaction() as session:
        project = session.get_one(Project, who.project_id)
        settings = ProjectSettings.model_validate(project.settings)
        assert settings.current_list_version_id
        assert settings.current_prompt_version_id
        values: dict[str, Any] = {
            "project_id": who.project_id,
            "kind": kind,
            "import_key": query_id,
            "content_hash": sha256(text.encode()).hexdigest(),
            "text": text,
            "history": history or [],
            "list_version_id": settings.current_list_version_id,
            "prompt_version_id": settings.current_prompt_version_id,
            "dialect": settings.dialect,
            "window": settings.window,
            "cluster": cluster_key(text, history or []),
        }
        session.add(QueryRow(id=query_id, **(values | columns)))
    return query_id


def a_suggestion(
    database: Database,
    who: Actor,
    query_id: str,
    plan: PlainPlan | None,
    trace: str | None = None,
    **columns: Any,
) -> str:
    """A model's answer to a query; its id."""
    suggestion_id = new_id()
    trace = a_trace() if trace is None else trace
    values: dict[str, Any] = {
        "project_id": who.project_id,
        "query_id": query_id,
        "origin": "model",
        "model": "deepseek-r1",
        "plan": plan,
        "trace": trace or None,
        "trace_length": len(trace),
        "failure": None if plan else "replies.no_plan",
    }
    with database.transaction() as session:
        session.add(Suggestion(id=suggestion_id, **(values | columns)))
    return suggestion_id


def an_acceptance(
    database: Database, who: Actor, query_id: str, plan: PlainPlan, suggestion_id: str | None = None
) -> str:
    """The accepted plan of a query, made by a new annotator; the id of its revision."""
    author = a_person(database, who.project_id, "annotator")
    annotation_id, revision_id = new_id(), new_id()
    text = json.dumps(plan, ensure_ascii=False, sort_keys=True)
    with database.transaction() as session:
        session.add(
            Annotation(
                id=annotation_id,
                project_id=who.project_id,
                query_id=query_id,
                author_id=author.person_id,
                state="accepted",
                suggestion_id=suggestion_id,
                revision_id=revision_id,
                submitted_at=DECIDED,
                decided_at=DECIDED,
            )
        )
        session.flush()
        session.add(
            Revision(
                id=revision_id,
                project_id=who.project_id,
                annotation_id=annotation_id,
                number=1,
                kind="submitted",
                author_id=author.person_id,
                content=plan,
                content_hash=sha256(text.encode()).hexdigest(),
            )
        )
        query = session.get_one(QueryRow, query_id)
        query.state, query.chosen_annotation_id = "decided", annotation_id
    return revision_id


def a_rederived_trace(
    database: Database,
    who: Actor,
    query_id: str,
    revision_id: str | None,
    trace: str = "重写的思考",
) -> str:
    """A trace that was written anew, accepted for a revision (or for none yet); its id."""
    columns = {"origin": "rederived", "failure": None, "rederived_for": revision_id}
    return a_suggestion(database, who, query_id, None, trace, model="rewriter", **columns)


def an_accepted_query(
    database: Database, who: Actor, text: str, *experts: str, trace: str | None = None
) -> str:
    """A query whose suggestion was accepted as it stood; its id."""
    query_id = a_pinned_query(database, who, text)
    plan = a_plan(text, *experts)
    suggestion_id = a_suggestion(database, who, query_id, plan, trace)
    an_acceptance(database, who, query_id, plan, suggestion_id)
    return query_id


def a_historical_chat(
    database: Database, who: Actor, text: str, answer: str, system: str = "旧的系统提示"
) -> str:
    """A historical chat row, kept byte for byte; its id."""
    turns = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    messages = json.dumps(turns, ensure_ascii=False)
    return a_pinned_query(
        database, who, text, kind="history", messages=messages, answer=answer, state="decided"
    )


def a_zh_answer(rewritten: str, expert: str = EXPERTS[0], trace: str | None = None) -> str:
    """An answer in the dialect zh, with thinking or without."""
    plan = {"补全后的问题": rewritten, "plan": [{"专家": expert, "处理问题": [rewritten]}]}
    answer = f"<answer>\n{json.dumps(plan, ensure_ascii=False)}\n</answer>"
    return f"<think>\n{trace}\n</think>\n\n{answer}" if trace else answer


def a_full_project(database: Database, who: Actor, accepted: int = 12) -> None:
    """Accepted plans, suggestions nobody has looked at, and history, some of each."""
    for number in range(accepted):
        experts = EXPERTS[: number % 3 + 1]
        an_accepted_query(database, who, f"第{number}周的流量怎么样", *experts)
    for number in range(accepted):
        query_id = a_pinned_query(database, who, f"怎样提升第{number}号商品的转化率")
        plan = a_plan(f"怎样提升第{number}号商品的转化率", *EXPERTS[: number % 2 + 1])
        a_suggestion(database, who, query_id, plan, a_trace(60 + 10 * number))
    for number in range(accepted // 2):
        text = f"查看第{number}月的日报"
        a_historical_chat(database, who, text, a_zh_answer(text, trace=a_trace(50 + number)))


def a_recipe(**changes: Any) -> BundleRecipe:
    """Everything from everywhere, both files, unless changed."""
    everything: dict[str, Any] = {
        "name": "all",
        "sft": {"sources": [{"kind": k} for k in ("accepted", "history", "suggestions")]},
        "grpo": {"sources": [{"kind": "accepted"}, {"kind": "history"}]},
        "pools": "shared",
        "verification": {"model": None},
    }
    return read_recipe(everything | changes)


def written(
    database: Database, settings: Settings, who: Actor, recipe: BundleRecipe
) -> tuple[str, Path]:
    """A bundle written, not verified: its id and folder."""
    bundle_id = begin_bundle(database, who, recipe)
    write_rows(database, settings, who, bundle_id)
    return bundle_id, bundle_folder(settings, get_bundle(database, who, bundle_id))


def rows_of(folder: Path, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / file).read_bytes().splitlines()]


def exclusions(database: Database, who: Actor, recipe: BundleRecipe, pool: str) -> dict[str, int]:
    preview = preview_recipe(database, who, recipe)
    figures = next(each for each in preview.pools if each.pool == pool)
    return {k: n for source in figures.sources for k, n in source.exclusions.items()}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
