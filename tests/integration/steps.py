"""Everything that two annotators and two reviewers may do at one queue, as rules."""

from collections import defaultdict
from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from sqlmodel import select

from db import clock
from db.engine import Database
from db.tables import Review, Task
from db.tables.base import new_id
from labeling import annotate, review
from schemas.desk import LabelItem, ReviewItem
from schemas.errors import PlanwrightError
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, a_project, a_suggestion
from tests.fakes.clock import Clock

PEOPLE = 4
person = st.integers(0, PEOPLE - 1)
reviewer = st.integers(2, PEOPLE - 1)
tab = st.integers(0, 9)
verdicts = st.sampled_from(["accept", "fix", "return", "discard", "release", "skip"])


class Steps(RuleBasedStateMachine):
    """Two annotators and two reviewers, who also label, at a queue with overlap."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.exits = ExitStack()
        self.time = Clock()
        self.exits.enter_context(clock.told_by(self.time))
        self.typed: dict[str, str] = {}
        self.counter = 0

    def teardown(self) -> None:
        self.exits.close()

    @initialize()
    def begin(self) -> None:
        self.admin = a_project(self.database, f"project {new_id()}")
        roles = ("annotator", "annotator", "reviewer", "reviewer")
        self.people = [a_person(self.database, self.admin.project_id, role) for role in roles]
        self.labels: dict[int, dict[str, LabelItem]] = defaultdict(dict)
        self.reviews: dict[int, dict[str, ReviewItem]] = defaultdict(dict)
        self.queries: list[str] = []
        self.revisions: dict[str, str] = {}
        self.events: list[str] = []
        self.add_query(slots=1, rank=0)
        self.add_query(slots=2, rank=0)

    @rule(slots=st.integers(1, 2), rank=st.integers(-1, 1))
    def add_query(self, slots: int, rank: int) -> None:
        if len(self.queries) < 5:
            query_id = a_label_query(self.database, self.admin, slots=slots, rank=rank)
            self.queries.append(query_id)
            if slots == 2:
                a_suggestion(self.database, self.admin, query_id, plan=A_PLAN)

    @rule(minutes=st.sampled_from([0.1, 5, 16]))
    def time_passes(self, minutes: float) -> None:
        self.time.move(minutes=minutes)

    @rule(who=person)
    def open_next(self, who: int) -> None:
        self._got(who, annotate.open_next(self.database, self.people[who]))

    @rule(who=person, which=tab)
    def open_item(self, who: int, which: int) -> None:
        query_id = self.queries[which % len(self.queries)]
        try:
            self._got(who, annotate.open_item(self.database, self.people[who], query_id))
        except PlanwrightError as error:
            assert error.code in {"annotate.somebody_has_it", "annotate.nothing_to_label"}

    @precondition(lambda self: self._tabs())
    @rule(which=tab, is_old=st.booleans())
    def type_something(self, which: int, is_old: bool) -> None:
        who, item = self._tab(which)
        self.counter += 1
        said = f"第 {self.counter} 稿"
        number = item.draft_number - 1 if is_old else item.draft_number
        content = {**A_PLAN, "rewritten_query": said}
        self.typed[said] = item.annotation_id
        try:
            saved = annotate.save_draft(
                self.database, self.people[who], item.annotation_id, number=number, content=content
            )
            self.labels[who][item.annotation_id] = item.model_copy(
                update={"draft": content, "draft_number": saved.number}
            )
        except PlanwrightError as error:
            self._learned(who, item, error)

    @precondition(lambda self: self._tabs())
    @rule(which=tab, is_sent_twice=st.booleans())
    def submit(self, which: int, is_sent_twice: bool) -> None:
        who, item = self._tab(which)
        for _ in range(1 + is_sent_twice):
            self._submit(who, item)

    @rule(who=person)
    def label_one(self, who: int) -> None:
        item = annotate.open_next(self.database, self.people[who])
        if item is not None:
            self._got(who, item)
            self._submit(who, item)

    @precondition(lambda self: self._tabs())
    @rule(which=tab, act=st.sampled_from(["skip", "postpone", "release", "withdraw", "flag"]))
    def let_go(self, which: int, act: str) -> None:
        who, item = self._tab(which)
        more = {"reason": "看"} if act == "flag" else {}
        try:
            getattr(annotate, act)(self.database, self.people[who], item.annotation_id, **more)
        except PlanwrightError as error:
            assert error.code in {
                "annotate.not_held",
                "annotate.not_submitted",
                "annotate.review_begun",
                "annotate.decided_already",
                "lots.drawn_already",
            }

    @precondition(lambda self: self._tabs())
    @rule(which=tab)
    def beat(self, which: int) -> None:
        who, item = self._tab(which)
        try:
            annotate.renew_lease(self.database, self.people[who], item.annotation_id)
        except PlanwrightError as error:
            assert error.code in {"annotate.not_held", "annotate.taken_over"}

    @rule(who=reviewer)
    def take_review(self, who: int) -> None:
        item = review.take_next(self.database, self.people[who])
        if item is not None:
            self.reviews[who][item.annotation_id] = item

    @rule(who=reviewer, verdict=verdicts)
    def review_one(self, who: int, verdict: str) -> None:
        item = review.take_next(self.database, self.people[who])
        if item is not None:
            self._decide(who, item, verdict)

    @precondition(lambda self: any(self.reviews.values()))
    @rule(which=tab, verdict=verdicts)
    def decide(self, which: int, verdict: str) -> None:
        tabs = [(who, item) for who, items in self.reviews.items() for item in items.values()]
        self._decide(*tabs[which % len(tabs)], verdict)

    def _decide(self, who: int, item: ReviewItem, verdict: str) -> None:
        held_by = {
            task.annotation_id: task.person_id
            for task in self._rows(Task)
            if task.kind == "review" and task.status != "done"
        }
        before = len(self._rows(Review))
        try:
            self._act(self.people[who], item, verdict)
            if len(self._rows(Review)) > before:
                assert held_by[item.annotation_id] == self.people[who].person_id
        except PlanwrightError as error:
            assert error.code in {
                "lots.not_sampled",
                "review.decided_by",
                "review.withdrawn",
                "review.not_submitted",
                "review.not_held",
                "review.in_other_hands",
                "review.other_revision",
            }

    def _act(self, who: Actor, item: ReviewItem, verdict: str) -> None:
        case = (self.database, who, item.annotation_id, item.revision_id)
        match verdict:
            case "accept":
                review.accept(*case)
            case "fix":
                review.fix_and_accept(*case, {**A_PLAN, "rewritten_query": "改"})
            case "return":
                review.return_to_author(*case, reasons=[{"code": "other", "remark": "改"}])
            case "discard":
                review.discard(*case, reason="不要")
            case "release":
                review.release(*case[:3])
            case _:
                review.skip(*case[:3])

    def _got(self, who: int, item: LabelItem | None) -> None:
        if item is not None:
            self.labels[who][item.annotation_id] = item

    def _tabs(self) -> list[tuple[int, LabelItem]]:
        return [(who, item) for who, items in self.labels.items() for item in items.values()]

    def _tab(self, which: int) -> tuple[int, LabelItem]:
        tabs = self._tabs()
        return tabs[which % len(tabs)]

    def _submit(self, who: int, item: LabelItem) -> None:
        said = item.draft["rewritten_query"] or "空"
        try:
            annotate.submit(
                self.database,
                self.people[who],
                item.annotation_id,
                number=item.draft_number,
                content={**A_PLAN, "rewritten_query": said},
                seconds=1,
            )
        except PlanwrightError as error:
            self._learned(who, item, error)

    def _learned(self, who: int, item: LabelItem, error: PlanwrightError) -> None:
        assert error.code in {
            "annotate.saved_elsewhere",
            "annotate.taken_over",
            "annotate.submitted_already",
            "annotate.decided_already",
            "annotate.not_held",
        }
        self.labels[who].pop(item.annotation_id, None)

    def _rows(self, model: type[Any]) -> list[Any]:
        with self.database.reading() as session:
            statement = select(model).where(model.project_id == self.admin.project_id)
            return list(session.exec(statement.order_by(*model.__table__.primary_key)))
