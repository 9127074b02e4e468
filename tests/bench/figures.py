"""How a bench tells its figures: each beside the floor measured in the same run.

Machines are noisy, so a figure is quoted as a ratio against a floor: the least that any program
would have to do for the same result. A bench module ends with `report(__name__, figures)`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity; `floor` is in the same unit, `target` is what we promised."""

    what: str
    value: float
    unit: str
    target: str
    floor: float | None = None
    floor_is: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over floor; for durations smaller is better, for rates larger."""
        return self.value / self.floor if self.floor else None


def report(bench: str, figures: Sequence[Figure]) -> None:
    """Print the figures and keep them for `docs/benchmarks.md`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    if bench == "__main__":
        bench = sys.modules["__main__"].__spec__.name
    name = bench.rpartition(".")[2]
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    for figure in figures:
        ratio = f"{figure.ratio:.2f} of floor {figure.floor:,.4g}" if figure.ratio else "no floor"
        print(
            f"{name}: {figure.what}: {figure.value:,.4g} {figure.unit} ({ratio}; {figure.target})"
        )
