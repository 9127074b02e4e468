"""The whole life of queries under whatever people do, in whatever order, at whatever time."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from sqlmodel import col, select

from db.engine import Database
from db.tables import Annotation, Draft, Event, Query, Review, Revision, Task
from labeling import queue
from tests.integration.steps import Steps

ALLOWED = {
    (None, "draft"),
    ("draft", "submitted"),
    ("submitted", "draft"),
    ("submitted", "accepted"),
    ("submitted", "returned"),
    ("submitted", "discarded"),
    ("returned", "submitted"),
}


class Life(Steps):
    """What stays true after every step."""

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
