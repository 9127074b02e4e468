"""Rows made while they are chosen, when everything about them is at hand anyway.

A bundle needs to know all rows before it knows which it takes. To read and parse the taken ones
again would cost as much as choosing them; so whatever may be taken is made into its lines at once,
and waits in a spool. A line that is not taken costs a few microseconds and its place on the disk.
"""

from array import array
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from exports.candidates import Candidate, Judged, Offered
from exports.folder import disk_refusal
from exports.formats import Material, Row, dpo_row, grpo_row, kto_row, sft_row, to_line
from exports.lines import FileLines, answer_hash
from exports.materials import Materials
from exports.origins import origin_of
from exports.pairs import Found, rated_of
from exports.rows import apart_from_equals
from exports.spool import Mark, Shut, Spool
from schemas.bundle import PoolName, RowOrigin
from schemas.recipe import BundleRecipe, Format

_FILES: Mapping[PoolName, tuple[Format, ...]] = {"sft": ("sft",), "grpo": ("grpo", "dpo", "kto")}


class Made(NamedTuple):
    """The lines of one format that another process has made: of which query, and where."""

    places: list[tuple[str, int, int]]
    answers: "array[int]"
    shut: Shut


class Draft:
    """The lines of one format; those of a query stand together."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder)
        self.numbers: dict[str, range] = {}
        self.answers = array("Q")

    def lines(self, query_ids: Iterable[str]) -> FileLines:
        """The lines of a file, in the order of its queries; neighbours never answer alike."""
        found = self.numbers
        numbers = [number for each in query_ids for number in found.get(each, ())]
        if self.answers:
            numbers = list(apart_from_equals(numbers, self.answers.__getitem__))
        return FileLines(self.spool, numbers)

    def made(self) -> Made:
        """What was made here, for another process to adopt."""
        places = [(query_id, each.start, each.stop) for query_id, each in self.numbers.items()]
        return Made(places, self.answers, self.spool.shut())

    def adopt(self, made: Made, file: IO[bytes]) -> None:
        """Take in what was made elsewhere, of other queries."""
        first = self.spool.adopt(file, made.shut)
        self.answers.extend(made.answers)
        for query_id, start, stop in made.places:
            self.numbers[query_id] = range(first + start, first + stop)


class Drafts:
    """The lines of all formats that can be made in passing; the others are made by their ids."""

    def __init__(self, folder: Path, recipe: BundleRecipe, materials: Materials) -> None:
        self.folder = folder
        self._recipe = recipe
        self._materials = materials
        self.of: Mapping[Format, Draft] = {each: Draft(folder) for each in drafted(recipe)}

    def close(self) -> None:
        """Let the lines go."""
        for draft in self.of.values():
            draft.spool.close()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(draft.spool.size for draft in self.of.values())

    def keep(self, offered: Offered, taken: Iterable[tuple[PoolName, Judged]]) -> None:
        """Make the lines of what pools may take of a query."""
        last: tuple[Judged, Material, Mark] | None = None
        for pool, judged in taken:
            formats: list[Format] = [each for each in _FILES[pool] if each in self.of]
            if not formats:
                continue
            if last is None or last[0] is not judged:  # both pools may have the same row
                material = self._materials.make(
                    offered.query, judged.candidate.kind, judged.plan, judged.trace
                )
                last = judged, material, self._materials.mark(offered.query, material)
            _, material, mark = last
            for format_ in formats:
                self._keep(format_, offered, judged.candidate, material, mark)

    def _keep(
        self,
        format_: Format,
        offered: Offered,
        candidate: Candidate,
        material: Material,
        mark: Mark,
    ) -> None:
        draft, form = self.of[format_], self._materials.form
        first = len(draft.spool)
        match format_:
            case "sft":
                origin = origin_of(candidate, candidate.trace_id, None)
                draft.spool.add(origin, to_line(sft_row(material, form)), mark)
            case "grpo":
                origin = origin_of(candidate, None, None)
                draft.spool.add(origin, to_line(grpo_row(material, form)), mark)
            case "dpo":
                rejected = self._rejected(offered, candidate, material)
                if rejected is not None:
                    origin = origin_of(candidate, candidate.trace_id, candidate.rejected_id)
                    draft.spool.add(origin, to_line(dpo_row(material, rejected, form)), mark)
            case _:
                for origin, row, its_mark in self._rated(offered, candidate, material, mark):
                    draft.spool.add(origin, to_line(row), its_mark)
                    draft.answers.append(answer_hash(row))
        draft.numbers[candidate.query_id] = range(first, len(draft.spool))

    def _rejected(
        self, offered: Offered, candidate: Candidate, material: Material
    ) -> Material | None:
        """The other side of an accepted plan that is taught."""
        is_taught = candidate.trace_reason is None or not self._recipe.with_thinking
        if candidate.kind != "accepted" or not is_taught:
            return None
        for part, plan, _ in offered.said:
            if part.id == candidate.rejected_id:
                return material._replace(plan=plan, trace=part.trace, old_answer=None)
        return None

    def _rated(
        self, offered: Offered, candidate: Candidate, material: Material, mark: Mark
    ) -> Iterator[tuple[RowOrigin, Row, Mark]]:
        """What models said to an accepted query, each with what it is worth."""
        if candidate.kind != "accepted":
            return
        form = self._materials.form
        said = {part.id: (part, plan, state) for part, plan, state in offered.said}
        found = Found(candidate, offered.said, self._recipe.with_thinking)
        for origin in rated_of(found, self._recipe):
            if origin.kind == "accepted":
                row = kto_row(material._replace(trace=None), form, label=True)
                yield origin, row, mark
                continue
            part, plan, state = said[origin.source_id]
            its = material._replace(
                channel="suggestions", plan=plan, trace=part.trace, old_answer=None
            )
            row = kto_row(its, form, label=state != "stale")
            yield origin, row, self._materials.mark(offered.query, its)


def drafted(recipe: BundleRecipe) -> list[Format]:
    """The formats of a recipe whose lines can be made in passing.

    A twin has a line of its own, which only its origin tells from its parent's; and pairs of other
    kinds, or of a recipe that mixes, are found later.
    """
    if recipe.augmentation.share:
        return []
    wanted: set[Format] = {"sft", "grpo"}
    if not recipe.plain_share:
        wanted.add("kto")
        if recipe.dpo_pairs == ("corrected",):
            wanted.add("dpo")
    return [each for each in recipe.formats if each in wanted]


@contextmanager
def open_drafts(folder: Path, recipe: BundleRecipe, materials: Materials) -> Generator[Drafts]:
    """Drafts that wait beside the folder of a bundle, and are gone when the block ends.

    Raises:
        ExportRefused: `export.disk_full`, `export.cannot_write`.
    """
    drafts: Drafts | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drafts = Drafts(folder, recipe, materials)
        yield drafts
    except OSError as error:
        # So much is waiting already, and most of it is to be written once more.
        needed = 2 * drafts.size if drafts else 0
        raise disk_refusal(error, folder, needed) from error
    finally:
        if drafts is not None:
            drafts.close()
