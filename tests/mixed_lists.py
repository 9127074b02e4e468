"""A project whose rows stand under several versions of a list, of every kind that bundles take.

Queries have ids by their texts, so what an export draws by chance is the same each time.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

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
DISTINCT = (
    "上个月华东地区的退款率是多少，和去年同期相比怎么样",
    "会员日之前要不要给老客发券，预算怎么定才不亏",
    "直播间的库存总是对不上，是哪一步漏记了",
    "儿童书桌的差评集中在什么问题上",
    "想把新品推给没买过的人，从哪里下手",
    "物流超时的订单占了几成，主要卡在哪个仓",
    "满减门槛设成一百九十九会不会太高",
    "竞品降价以后我们的搜索排名掉了多少",
)
ALIKE = "按第1版看全部门店的访客"
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
    pin = {"list_version_id": lists["merchant@1"]}
    for number in range(len(DISTINCT)):
        asked, rewrite = a_distinct(number), the_rewrite(number)
        _an_accepted(database, who, "siblings", asked, EXPERTS[:2], EXPERTS[4], pin, rewrite)
    for number in range(2):
        own = pin | {"id": _id(f"{ALIKE} {number}")}
        _an_accepted(database, who, "siblings", ALIKE, EXPERTS[:1], EXPERTS[4], own)
    return mixed


def a_distinct(number: int) -> str:
    """A question that is like no other, pinned to the first version of the list."""
    return f"第1版：{DISTINCT[number]}"


def the_rewrite(number: int) -> str:
    """How its accepted plan rewrites it."""
    return f"完整地问：{DISTINCT[number]}"


def _id(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, text))


def _some_rows(database: Database, mixed: Mixed, reference: str, number: int) -> None:
    who, pin = mixed.who, {"list_version_id": mixed.lists[reference]}
    names = mixed.experts[reference]
    chosen = names[number % 3 : number % 3 + 1 + number % 2]
    version = reference[-1]
    text = f"按第{version}版看第{number}家店的{'流量退款转化'[number % 3 * 2 :][:2]}"
    _an_accepted(database, who, KINDS[number % len(KINDS)], text, chosen, names[-1], pin)
    unread = f"第{version}版里第{number}号商品怎样卖得更好"
    query_id = a_pinned_query(database, who, unread, id=_id(unread), **pin)
    a_suggestion(database, who, query_id, a_plan(unread, *chosen), a_trace(60 + 9 * number))
    if number % 3 == 0:
        asked = f"第{version}版时第{number}月的日报"
        answer = a_zh_answer(asked, chosen[0], a_trace(50 + number))
        turns = [
            {"role": "system", "content": f"旧提示，第{version}版：{'、'.join(names)}"},
            {"role": "user", "content": asked},
        ]
        messages = json.dumps(turns, ensure_ascii=False)
        columns = {"messages": messages, "answer": answer, "state": "decided"}
        a_pinned_query(database, who, asked, kind="history", id=_id(asked), **columns, **pin)


def _an_accepted(
    database: Database,
    who: Actor,
    kind: str,
    text: str,
    chosen: tuple[str, ...],
    other: str,
    pin: dict[str, str],
    rewrite: str | None = None,
) -> None:
    """An accepted plan, and what the models had said before."""
    history = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "请讲"}]
    columns: dict[str, Any] = {"id": _id(text)} | pin
    query_id = a_pinned_query(database, who, text, history=history, **columns)
    right, wrong = a_plan(rewrite or text, *chosen), a_plan(text, other)
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
