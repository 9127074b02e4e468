"""Acts at the same moment, each in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Any

from schemas.errors import PlanwrightError


def at_once(*works: Callable[[], object]) -> list[Any]:
    """Run all at the same moment; what each gave back, or the expected failure it met."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    defects: list[BaseException] = []

    def run(place: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = work()
        except PlanwrightError as error:
            results[place] = error
        except BaseException as defect:
            defects.append(defect)
            raise

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert defects == []
    return results
