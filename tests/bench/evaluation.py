"""What a comparison of two planners costs at the size of the article: 3,217 standard questions.

Processor time of all threads, since nothing here waits. The floor of the figures is what a
bootstrap of a single mean costs when it is written as numpy does it: draw, take, average.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports import evaluations, figures
from exports.comparison_report import comparison_csv
from labeling.ui.comparison import ComparisonHandlers
from labeling.ui.evaluation import EvaluationHandlers
from labeling.ui.i18n import Words
from labeling.ui.session import Services, request_of
from schemas.paired import DRAWS
from schemas.people import Actor
from schemas.settings import Settings
from tests.bench.figures import Figure, report
from tests.evaluating import made_up
from tests.factories import a_project

QUESTIONS = 3_217


def main() -> None:
    """Make two planners up, and look at them as the page does."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder) / "planwright.db"), is_synced=False)
        upgrade(database)
        who = a_project(database)
        pair = made_up(database, who, QUESTIONS)
        report(__name__, _measured(database, who, pair[0], pair[1]))
        database.close()


def _measured(database: Database, who: Actor, before: str, after: str) -> list[Figure]:
    services = Services(Settings(), database, None)  # pyright: ignore[reportArgumentType]
    listed = EvaluationHandlers(services, Words("en"))
    compared = ComparisonHandlers(services, Words("en"))
    scores = [
        {each.question_id: each.scores for each in evaluations.list_answers(database, who, one)}
        for one in (before, after)
    ]
    values = np.array([each["think_length"] for each in scores[0].values()])
    floor, floor_is = _spent(lambda: _one_mean(values)), "one mean, 2,000 draws"
    alone = _spent(lambda: figures.compare(scores[0], scores[1]))
    first = _spent(lambda: compared.on_load(request_of(who)))
    again = _spent(lambda: compared.on_load(request_of(who)))
    tick = _spent(lambda: listed.on_tick(request_of(who)))
    written = _spent(lambda: comparison_csv(database, who, before, after))
    return [
        Figure("all figures of two planners, 2,000 draws", alone, "s", "≤ 2", floor, floor_is),
        Figure("the page's first comparison, from the database", first, "s", "≤ 1"),
        Figure("the page's comparison once more", again, "s", "≤ 0.5"),
        Figure("a look of the page at its table", tick, "s", "≤ 0.1"),
        Figure("the comparison as CSV", written, "s", ""),
    ]


def _one_mean(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> object:
    chosen = np.random.default_rng(1).integers(len(values), size=(DRAWS, len(values)))
    return np.quantile(values[chosen].mean(axis=1), [0.025, 0.975])


def _spent(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


if __name__ == "__main__":
    main()
