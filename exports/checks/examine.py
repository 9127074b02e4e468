"""Every check on a whole bundle: which lines and files are not what they should be, and why.

A line costs about a tenth of what ms-swift takes to read it back, and is held only while it is
looked at; of the manifest, which names each line's origin, there is a copy in memory.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from exports.checks import among, answers, columns, files, near, truth
from exports.checks.lines import Check, Held, Line, Reader
from exports.checks.near import NearCheck, NearSplit
from exports.checks.sources import Ground, Sources
from exports.lines import CHUNK, in_chunks
from schemas.bundle import RowOrigin
from schemas.recipe import FORMATS, Format
from schemas.training import RowDifference

CHECKS: tuple[Check, ...] = (*answers.CHECKS, *columns.CHECKS, *among.CHECKS, *truth.CHECKS)
FILE_CHECKS: tuple[files.FileCheck, ...] = files.CHECKS
NEAR_CHECKS: tuple[NearCheck, ...] = near.CHECKS
TOLD = 200


@dataclass
class Findings:
    """What is wrong with a bundle; at most `TOLD` lines of a file are told, all are counted.

    `near_split` counts training questions that are near-duplicates of validation.
    """

    differences: list[RowDifference] = field(default_factory=list)
    by_file: Counter[str] = field(default_factory=Counter)
    near_split: int | None = None

    def add(self, name: str, file: str, line: int, **others: str | int) -> None:
        """A file's line has the fault that a check looks for."""
        self.by_file[file] += 1
        if self.by_file[file] <= TOLD:
            values: dict[str, Any] = {"file": file, "line": line, **others}
            code = f"training.{name}"
            self.differences.append(RowDifference(file=file, line=line, code=code, values=values))


def dataset_files(folder: Path) -> list[Path]:
    """The dataset files of a bundle, in the order of the formats, each before its `_val`."""
    wanted = [f"{kind}{part}.jsonl" for kind in FORMATS for part in ("", "_val")]
    return [folder / name for name in wanted if (folder / name).exists()]


def examine(folder: Path, manifest: Mapping[str, Any], ground: Ground | None = None) -> Findings:
    """What is wrong with a bundle, as far as it shows without ms-swift.

    Args:
        folder: The bundle's.
        manifest: Its manifest; empty where it has none.
        ground: The project that it was made from. Without it, or where the project knows none of
            its queries, what only the database could tell stays unknown: leaks, stale thinking,
            plans of other queries.
    """
    if ground is None:
        return _examine(Held(folder, manifest, None))
    with ground.database.reading_through() as session:
        sources = Sources(session, ground.project_id)
        rows = manifest.get("rows", {}).values()
        query_ids = {str(each[1]) for origins in rows for each in origins[:CHUNK]}
        is_ours = sources.knows_any(query_ids)
        return _examine(Held(folder, manifest, sources if is_ours else None))


def _examine(held: Held) -> Findings:
    found = Findings()
    for each in FILE_CHECKS:
        for file, line in each.find(held):
            found.add(each.name, file, line)
    judges = [(each.name, each.begin(held)) for each in CHECKS]
    sides = NearSplit(held)
    for line in _lines(held):
        sides.see(line)
        for name, has_fault in judges:
            if has_fault(line):
                found.add(name, line.file, line.number)
    found.near_split = sides.count()
    for each in NEAR_CHECKS:
        for place, other in each.find(sides):
            found.add(each.name, *place, other_file=other.file, other_line=other.line)
    return found


def _lines(held: Held) -> Iterator[Line]:
    reader = Reader(held)
    for path in dataset_files(held.folder):
        origins = held.origins.get(path.name, [])
        format_ = cast(Format, path.stem.removesuffix("_val"))
        with path.open("rb") as file:
            numbered = enumerate((raw.rstrip(b"\n") for raw in file), start=1)
            for chunk in in_chunks(numbered, CHUNK):
                first, last = chunk[0][0], chunk[-1][0]
                own: list[RowOrigin | None] = [*origins[first - 1 : last]]
                own += [None] * (len(chunk) - len(own))
                sources = held.sources_of(format_, own)
                for (number, raw), origin, source in zip(chunk, own, sources, strict=True):
                    line = reader.line(path.name, number, raw, origin, source)
                    if line is not None:
                        yield line
