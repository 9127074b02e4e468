"""The whole life of queries under whatever people do, in whatever order, at whatever time."""

from collections import defaultdict
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select

from db import clock
from db.engine import Database
from db.tables import Annotation, Draft, Event, Query, Review, Revision, Task
from db.tables.base import new_id
from labeling import annotate, queue, review
from schemas.desk import LabelItem, ReviewItem
from schemas.errors import PlanwrightError
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, a_project, a_suggestion
from tests.fakes.clock import Clock

PEOPLE = 4
ALLOWED = {
    (None, "draft"),
    ("draft", "submitted"),
    ("submitted", "draft"),
    ("submitted", "accepted"),
    ("submitted", "returned"),
    ("submitted", "discarded"),
    ("returned", "submitted"),
}
person = st.integers(0, PEOPLE - 1)
reviewer = st.integers(2, PEOPLE - 1)
tab = st.integers(0, 9)
verdicts = st.sampled_from(["accept", "fix", "return", "discard", "release", "skip"])


class Life(RuleBasedStateMachine):
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
                review.return_to_author(*case, reason_code="other", reason="改")
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

    @invariant()
    def no_slot_is_in_two_hands_and_nobody_has_two_slots(self) -> None:
        tasks = self._rows(Task)
        parts = {annotation.id: annotation for annotation in self._rows(Annotation)}
        for kind in ("label", "review"):
            held = [
                (task.query_id, task.person_id)
                for task in tasks
                if task.kind == kind and task.status in ("taken", "postponed")
            ]
            if kind == "label":
                assert len(held) == len(set(held))
        worked_on = [
            task.annotation_id for task in tasks if task.kind == "label" and task.annotation_id
        ]
        assert len(worked_on) == len(set(worked_on))
        for task in tasks:
            if task.kind == "review":
                assert task.person_id != task.author_id
            elif task.status in ("taken", "postponed"):
                assert parts[task.annotation_id].author_id == task.person_id

    @invariant()
    def annotations_and_tasks_agree(self) -> None:
        tasks = {(task.kind, task.annotation_id): task for task in self._rows(Task)}
        for annotation in self._rows(Annotation):
            label = tasks.get(("label", annotation.id))
            reviewing = tasks.get(("review", annotation.id))
            if annotation.state == "submitted":
                assert label.status == "done"
                assert reviewing.status in ("open", "taken")
            elif reviewing is not None:
                assert reviewing.status == "done"
            if annotation.state in ("accepted", "submitted"):
                assert annotation.revision_id is not None

    @invariant()
    def the_state_of_a_query_is_what_its_rows_say(self) -> None:
        annotations, tasks = self._rows(Annotation), self._rows(Task)
        for query in self._rows(Query):
            states = {each.state for each in annotations if each.query_id == query.id}
            is_in_work = any(
                task.status in ("taken", "postponed") or task.for_person_id
                for task in tasks
                if task.query_id == query.id and task.kind == "label"
            )
            if "accepted" in states:
                expected = "decided"
            elif "submitted" in states:
                expected = "in_review"
            elif is_in_work:
                expected = "in_work"
            else:
                detail = queue.query_detail(self.database, self.admin, query.id)
                expected = "ready" if detail.suggestions else "waiting"
            assert query.state == expected
            accepted = [each.id for each in annotations if each.state == "accepted"]
            assert query.chosen_annotation_id in {None, *accepted}
            assert (query.chosen_annotation_id is None) == ("accepted" not in states)

    @invariant()
    def events_tell_every_state_and_only_allowed_steps(self) -> None:
        told: dict[str, str | None] = {}
        with self.database.reading() as session:
            events = session.exec(
                select(Event)
                .where(Event.project_id == self.admin.project_id, Event.subject == "annotation")
                .order_by(col(Event.id))
            ).all()
        for event in events:
            if event.action in ("lapsed", "freed"):
                continue
            before, after = event.before, event.after
            assert told.get(event.subject_id) == before
            assert before == after or (before, after) in ALLOWED
            told[event.subject_id] = after
        assert told == {each.id: each.state for each in self._rows(Annotation)}
        ids = [event.id for event in events]
        assert ids[: len(self.events)] == self.events
        self.events = ids

    @invariant()
    def revisions_only_grow_and_nothing_typed_is_lost(self) -> None:
        revisions = self._rows(Revision)
        now = {each.id: each.content_hash for each in revisions}
        assert self.revisions.items() <= now.items()
        self.revisions = now
        newest: dict[str, str] = {}
        for said, annotation_id in self.typed.items():
            newest[annotation_id] = said
        kept = {(each.annotation_id, each.content.get("rewritten_query")) for each in revisions}
        kept |= {
            (draft.annotation_id, draft.content.get("rewritten_query"))
            for draft in self._rows(Draft)
        }
        for annotation_id, said in newest.items():
            assert (annotation_id, said) in kept

    @invariant()
    def nobody_decided_on_their_own_work(self) -> None:
        assert all(each.reviewer_id != each.author_id for each in self._rows(Review))


@pytest.mark.timeout(900)
def test_whatever_people_do_the_life_of_a_query_stays_true(database: Database) -> None:
    """Longer on SQLite; PostgreSQL runs the same rules for what differs in its locks."""
    is_embedded = database.backend.value == "sqlite"

    class Here(Life):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20 if is_embedded else 6,
            stateful_step_count=40 if is_embedded else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
