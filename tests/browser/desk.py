"""A desk for browser tests: a project of its own with people, queries, suggestions and pages."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from db.engine import Database
from db.tables import GuidelineVersion, ListVersion, Project, Query, Suggestion, Task
from db.tables.base import new_id
from labeling.accounts import add_person
from labeling.sign_in import sign_in
from schemas.experts import Expert, ExpertList
from schemas.people import Actor, Role
from schemas.project import ProjectSettings
from tests.browser.contexts import Contexts
from tests.factories import a_project
from tests.serving import COOKIE, ServedApp

PASSWORD = "a long enough password"
EXPERTS = (
    ("数据分析专家", "查询并解读店铺经营数据：流量、转化、成交、周报与环比。"),
    ("知识问答专家", "回答平台规则与操作步骤，例如如何在商家后台配置推广。"),
    ("策略推荐专家", "给出经营策略建议：选词、定价、活动组合、投放预算。"),
    ("人群运营专家", "圈选人群并触达：新客、老客、流失客；短信、优惠券、会员。"),
    ("诊断专家", "找出指标异常的原因并排序。"),
    ("活动报名专家", "查询可报名的活动并协助报名。"),
    ("商品管理专家", "上下架、改价、改库存、优化标题与主图。"),
    ("客服助手", "处理评价、售后与申诉的话术与流程。"),
)
NEW_EXPERT = "人群运营专家"
RENAMED_EXPERT, ITS_OLD_NAME = "商品管理专家", "商品专家"
REWORDED_EXPERT, ITS_OLD_DESCRIPTION = "客服助手", "处理评价与退款的话术与流程。"
QUERY = "那怎么配置关键词？顺便给老客推一下"
HISTORY = [
    {"role": "user", "content": "上周的流量怎么掉了这么多？"},
    {"role": "assistant", "content": "您的搜索曝光环比下降 18%，主要来自“奶茶”相关的词。"},
]
TRACE = (
    "好的，用户在问如何配置关键词，上文提到曝光下降，所以补全后应是“如何配置搜索关键词以提升曝光”。"
    "操作步骤属于平台知识，交给知识问答专家。\n"
    "光会配置还不够，还需要给出该买哪些词，这由策略推荐专家负责；两者可以并行。\n"
    "“给老客推一下”是圈选老客并触达。这也可以由策略推荐专家给出人群策略。\n"
    "再检查一遍：知识问答专家负责配置，策略推荐专家负责选词。"
    "再检查一遍：知识问答专家负责配置，策略推荐专家负责选词。"
)
PLAN: dict[str, Any] = {
    "rewritten_query": "如何配置搜索关键词，并推荐优惠",
    "steps": [
        {
            "expert": "知识问答专家",
            "sub_questions": ["如何在商家后台配置搜索关键词"],
            "order": 1,
        },
        {
            "expert": "策略推荐专家",
            "sub_questions": ["推荐能恢复“奶茶”曝光的关键词组合"],
            "order": 1,
        },
        {"expert": "诊断专家", "sub_questions": ["给出面向老客的策略"], "order": 2},
    ],
}
OTHER_PLAN: dict[str, Any] = {
    "rewritten_query": "如何配置搜索关键词以恢复“奶茶”类曝光，并向老客推送优惠",
    "steps": [
        PLAN["steps"][0],
        {"expert": NEW_EXPERT, "sub_questions": ["圈选近 90 天复购老客"], "order": 2},
    ],
}
REWRITE = "$.rewritten_query"
_numbers = itertools.count(1)


@dataclass
class Desk:
    """One project on the served app; people are made when they first open a page."""

    app: ServedApp
    browsers: Contexts
    database: Database
    admin: Actor
    queries: list[str]
    contexts: list[BrowserContext] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)

    def open(
        self,
        who: str,
        path: str,
        *,
        role: Role = "annotator",
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
    ) -> Page:
        """A page of this person in a browser of its own, waited for until the desk is drawn."""
        context = self.browsers.take(width=width, height=height, dark=dark)
        self.contexts.append(context)
        name = f"{who} {self.admin.project}"
        if who not in self.people:
            self.people[who] = add_person(self.database, self.admin, name, PASSWORD, role)
        token = sign_in(self.database, name, PASSWORD, "127.0.0.1")
        context.add_cookies([{"name": COOKIE, "value": token, "url": self.app.url}])
        return self.visit(context, path)

    def visit(self, context: BrowserContext, path: str) -> Page:
        """Another tab of the same browser."""
        page = context.new_page()
        page.goto(f"{self.app.url}{path}")
        page.wait_for_selector(".pw-desk:not(.is-loading)")
        return page

    def close(self) -> None:
        for context in self.contexts:
            self.browsers.give_back(context, self.app.url)
        self.database.close()


def a_desk(
    app: ServedApp,
    browsers: Contexts,
    *,
    queries: int = 3,
    text: str = QUERY,
    trace: str = TRACE,
    plans: Sequence[dict[str, Any] | None] = (PLAN, OTHER_PLAN),
) -> Desk:
    """A project with an expert list in its second version, a guideline and open queries."""
    database = app.database()
    admin = a_project(database, name=f"desk {next(_numbers)}", language="zh")
    pins = _publish(database, admin)
    said = (text, trace, plans)
    found = [_a_query(database, admin, pins, said) for _ in range(queries)]
    return Desk(app=app, browsers=browsers, database=database, admin=admin, queries=found)


def _publish(database: Database, admin: Actor) -> tuple[str, str]:
    aliases = {RENAMED_EXPERT: (ITS_OLD_NAME,)}
    experts = tuple(
        Expert(name=name, description=about, aliases=aliases.get(name, ()))
        for name, about in EXPERTS
    )
    new = ExpertList(
        name="商家助手",
        version=2,
        experts=experts,
        tools=({"name": "周报查询", "description": "按周输出流量与成交"},),
        services=({"name": "搜索推广", "description": "关键词竞价投放"},),
    )
    old = ExpertList(name="商家助手", version=1, experts=tuple(_as_it_was(experts)))
    with database.transaction() as session:
        project = session.get_one(Project, admin.project_id)
        settings = ProjectSettings.model_validate(project.settings)
        rows = [
            ListVersion(
                project_id=admin.project_id,
                name=each.name,
                version=each.version,
                content=each.model_dump(mode="json"),
                content_hash=each.content_hash,
            )
            for each in (old, new)
        ]
        session.add_all(rows)
        session.add(
            GuidelineVersion(
                project_id=admin.project_id,
                version=1,
                text="# 标注规范\n\n- **补全后的问题**必须能脱离上下文看懂\n- 只改规划，不改思考",
                published_by=admin.person_id,
            )
        )
        session.flush()
        changed = settings.model_copy(
            update={"current_list_version_id": rows[1].id, "banned_words": ("微信",)}
        )
        project.settings = changed.model_dump(mode="json")
        assert settings.current_prompt_version_id
        return rows[1].id, settings.current_prompt_version_id


def _as_it_was(experts: Sequence[Expert]) -> Iterator[Expert]:
    """The experts of the list's first version."""
    for expert in experts:
        if expert.name == RENAMED_EXPERT:
            yield expert.model_copy(update={"name": ITS_OLD_NAME, "aliases": ()})
        elif expert.name == REWORDED_EXPERT:
            yield expert.model_copy(update={"description": ITS_OLD_DESCRIPTION})
        elif expert.name != NEW_EXPERT:
            yield expert


def _a_query(
    database: Database,
    admin: Actor,
    pins: tuple[str, str],
    said: tuple[str, str, Sequence[dict[str, Any] | None]],
) -> str:
    text, trace, plans = said
    query_id = new_id()
    with database.transaction() as session:
        session.add(
            Query(
                id=query_id,
                project_id=admin.project_id,
                kind="queries",
                import_key=query_id,
                content_hash=query_id,
                external_id="10482",
                text=text,
                history=HISTORY,
                list_version_id=pins[0],
                prompt_version_id=pins[1],
                dialect="zh@1",
                window=6,
                cluster=query_id,
                state="ready",
            )
        )
        session.flush()
        for number, plan in enumerate(plans, start=1):
            session.add(
                Suggestion(
                    project_id=admin.project_id,
                    query_id=query_id,
                    origin="model",
                    candidate=number,
                    model="R1",
                    trace=trace,
                    trace_length=len(trace),
                    plan=plan,
                    failure=None if plan else "replies.cut_off",
                )
            )
        session.add(Task(project_id=admin.project_id, kind="label", query_id=query_id))
    return query_id


def field_at(page: Page, path: str) -> Locator:
    """The input of a place in the plan."""
    return page.locator(f':is(input, textarea)[data-path="{path}"]')


def plan_on(page: Page) -> Any:
    """The plan as the JSON tab shows it; comes back to the form."""
    page.click("#plan-tab-json")
    plan = json.loads(page.input_value("#plan-json"))
    page.click("#plan-tab-form")
    return plan


def wait_saved(page: Page) -> None:
    """Until the footer says that the server has the draft."""
    expect(page.locator("#label-saved")).to_contain_text("草稿已保存")


def highlighted(page: Page, name: str) -> list[str]:
    """The texts that a highlight of the trace colours, in order."""
    return page.evaluate(
        """name => [...(CSS.highlights.get(name) ?? [])].map(each => {
            const range = document.createRange();
            range.setStart(each.startContainer, each.startOffset);
            range.setEnd(each.endContainer, each.endOffset);
            return String(range);
        })""",
        name,
    )


def expect_highlighted(page: Page, name: str, texts: list[str]) -> None:
    """Wait until a highlight colours these texts; painting follows typing."""
    for _ in range(100):
        if highlighted(page, name) == texts:
            return
        page.wait_for_timeout(50)
    assert highlighted(page, name) == texts


def experts_of(page: Page) -> list[str]:
    """Names in the form, from top to bottom."""
    return page.locator(".plan-form .expert-name").evaluate_all("all => all.map(one => one.value)")


def stages_of(page: Page) -> list[list[str]]:
    """Names in the form by stage."""
    return page.locator(".plan-form .stage").evaluate_all(
        "all => all.map(one => [...one.querySelectorAll('.expert-name')].map(name => name.value))"
    )
