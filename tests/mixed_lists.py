"""A project whose rows stand under several versions of a list, of every kind that bundles take."""

import json
from dataclasses import dataclass

from db.engine import Database
from db.tables import ListVersion, Project
from schemas.experts import Expert, ExpertList
from schemas.people import Actor
from tests.exporting import (
    a_pinned_query,
    a_plan,
    a_suggestion,
    a_trace,
    a_zh_answer,
    an_acceptance,
)
from tests.factories import EXPERTS, a_project

CROWDS = "人群运营专家"
LISTS: dict[str, tuple[str, ...]] = {
    "merchant@2": (*EXPERTS, CROWDS),
    "merchant@3": (*EXPERTS[1:], CROWDS),
    "travel@1": ("酒店专家", "航班专家", "签证专家"),
}
DESCRIPTIONS = {CROWDS: "圈选人群并触达", "酒店专家": "预订酒店房间", "航班专家": "查找改签机票"}
KINDS = ("right", "corrected", "siblings", "lengths", "fixed")


@dataclass(frozen=True, slots=True)
class Mixed:
    """The project, its lists by reference, and the experts of each."""

    who: Actor
    lists: dict[str, str]
    experts: dict[str, tuple[str, ...]]


def a_mixed_project(database: Database, rows: int = 12) -> Mixed:
    """Accepted plans of every kind, unread suggestions and history, each under three lists."""
    who = a_project(database)
    lists = {name: _a_list(database, who, name, experts) for name, experts in LISTS.items()}
    with database.reading() as session:
        settings = session.get_one(Project, who.project_id).settings
        lists["merchant@1"] = str(settings["current_list_version_id"])
    experts = {"merchant@1": EXPERTS, **LISTS}
    mixed = Mixed(who, lists, experts)
    for number in range(rows):
        for reference in ("merchant@1", "merchant@2", "merchant@3"):
            _some_rows(database, mixed, reference, number)
    return mixed


def _some_rows(database: Database, mixed: Mixed, reference: str, number: int) -> None:
    who, pin = mixed.who, {"list_version_id": mixed.lists[reference]}
    names = mixed.experts[reference]
    chosen = names[number % 3 : number % 3 + 1 + number % 2]
    version = reference[-1]
    text = f"按第{version}版看第{number}家店的{'流量退款转化'[number % 3 * 2 :][:2]}"
    _an_accepted(database, who, KINDS[number % len(KINDS)], text, chosen, names[-1], pin)
    unread = f"第{version}版里第{number}号商品怎样卖得更好"
    query_id = a_pinned_query(database, who, unread, **pin)
    a_suggestion(database, who, query_id, a_plan(unread, *chosen), a_trace(60 + 9 * number))
    if number % 3 == 0:
        asked = f"第{version}版时第{number}月的日报"
        answer = a_zh_answer(asked, chosen[0], a_trace(50 + number))
        turns = [
            {"role": "system", "content": f"旧提示，第{version}版：{'、'.join(names)}"},
            {"role": "user", "content": asked},
        ]
        messages = json.dumps(turns, ensure_ascii=False)
        old = {"kind": "history", "messages": messages, "answer": answer, "state": "decided"}
        a_pinned_query(database, who, asked, **old, **pin)


def _an_accepted(
    database: Database,
    who: Actor,
    kind: str,
    text: str,
    chosen: tuple[str, ...],
    other: str,
    pin: dict[str, str],
) -> None:
    """An accepted plan, and what the models had said before."""
    history = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "请讲"}]
    query_id = a_pinned_query(database, who, text, history=history, **pin)
    right, wrong = a_plan(text, *chosen), a_plan(text, other)
    traces = {"right": a_trace(90), "wrong": f"错的思考：{a_trace(70)}"}
    match kind:
        case "right":
            own = a_suggestion(database, who, query_id, right, traces["right"])
        case "corrected":
            own = a_suggestion(database, who, query_id, wrong, traces["wrong"])
        case "lengths":
            own = a_suggestion(database, who, query_id, right, a_trace(80))
            a_suggestion(database, who, query_id, right, a_trace(260), candidate=2)
        case _:
            own = a_suggestion(database, who, query_id, wrong, traces["wrong"])
            a_suggestion(database, who, query_id, right, traces["right"], candidate=2)
            third = a_plan(f"{text}吗", *chosen, other)
            a_suggestion(database, who, query_id, third, f"又错：{a_trace(60)}", candidate=3)
    an_acceptance(database, who, query_id, right, own)


def _a_list(database: Database, who: Actor, reference: str, experts: tuple[str, ...]) -> str:
    name, _, version = reference.partition("@")
    made = ExpertList(
        name=name,
        version=int(version),
        experts=tuple(
            Expert(name=each, description=DESCRIPTIONS.get(each, f"负责{each[:-2]}"))
            for each in experts
        ),
    )
    with database.transaction() as session:
        row = ListVersion(
            project_id=who.project_id,
            name=name,
            version=made.version,
            content=made.model_dump(mode="json"),
            content_hash=made.content_hash,
        )
        session.add(row)
        session.flush()
        return row.id
