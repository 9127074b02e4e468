"""The life of queries where submissions gather in lots: what holds for all holds for lots too."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from db.engine import Database
from db.tables import Annotation, Lot, LotItem, Review, Task
from labeling import lots
from schemas.errors import PlanwrightError
from schemas.sampling import draw_sample, is_defect
from tests.factories import decide
from tests.integration.steps import reviewer, tab
from tests.integration.test_life_of_a_query import Life

SAMPLING = {"is_on": True, "lot_size": 5, "tolerated_rate": 0.6, "confidence": 0.5}


class LotLife(Life):
    """The same people, with acceptance sampling on; lots are closed by hand at any time."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        decide(self.database, self.admin, sampling=SAMPLING)
        for _ in range(3):
            self.add_query(slots=1, rank=0)

    @precondition(lambda self: self._rows(Lot))
    @rule(who=reviewer, which=tab)
    def close_a_lot(self, who: int, which: int) -> None:
        found = self._rows(Lot)
        try:
            lots.close(self.database, self.people[who], found[which % len(found)].id)
        except PlanwrightError as error:
            assert error.code in {"lots.own_lot", "lots.empty"}

    @invariant()
    def annotations_and_tasks_agree(self) -> None:
        reviewing = {
            task.annotation_id: task.status for task in self._rows(Task) if task.kind == "review"
        }
        waiting = self._waiting()
        for annotation in self._rows(Annotation):
            status = reviewing.get(annotation.id)
            is_sampled = waiting.get(annotation.id)
            if annotation.state == "submitted" and is_sampled is not False:
                assert status in ("open", "taken")
            else:
                assert status in (None, "done")

    @invariant()
    def what_waits_in_a_lot_is_handed_in_and_waits_in_one(self) -> None:
        states = {each.id: each.state for each in self._rows(Annotation)}
        items = self._open_items()
        assert len(items) == len({item.annotation_id for item in items})
        assert all(states[item.annotation_id] == "submitted" for item in items)

    @invariant()
    def a_lot_is_decided_when_its_sample_says_so_and_by_its_sample_alone(self) -> None:
        items = self._rows(LotItem)
        for lot in self._rows(Lot):
            mine = [item for item in items if item.lot_id == lot.id]
            sample = [item for item in mine if item.is_sampled]
            if lot.state == "open":
                assert not sample
                assert len(mine) < SAMPLING["lot_size"]
                continue
            drawn = draw_sample([each.annotation_id for each in mine], len(sample), lot.seed)
            assert set(drawn) == {each.annotation_id for each in sample}
            assert len(sample) == lot.sample_size
            verdicts = [item.verdict for item in sample if item.verdict]
            has_failed = sum(map(is_defect, verdicts)) > lot.acceptance_number
            is_done = len(verdicts) == lot.sample_size
            expected = "failed" if has_failed else "passed" if is_done else "inspecting"
            assert lot.state == expected

    @invariant()
    def every_verdict_of_a_lot_is_on_what_was_in_it(self) -> None:
        inside = {(item.lot_id, item.annotation_id) for item in self._rows(LotItem)}
        reviews = self._rows(Review)
        for each in reviews:
            assert each.lot_id is None or (each.lot_id, each.annotation_id) in inside
        told = [(each.revision_id, each.reviewer_id) for each in reviews]
        assert len(told) == len(set(told))

    def _open_items(self) -> list[LotItem]:
        undecided = {lot.id for lot in self._rows(Lot) if lot.state in ("open", "inspecting")}
        return [
            item
            for item in self._rows(LotItem)
            if item.lot_id in undecided and item.verdict is None
        ]

    def _waiting(self) -> dict[str, bool]:
        return {item.annotation_id: item.is_sampled for item in self._open_items()}


@pytest.mark.timeout(900)
def test_whatever_people_do_lots_stay_true(database: Database) -> None:
    """Longer on SQLite; PostgreSQL runs the same rules for what differs in its locks."""
    is_embedded = database.backend.value == "sqlite"

    class Here(LotLife):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=15 if is_embedded else 4,
            stateful_step_count=50 if is_embedded else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
