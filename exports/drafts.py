"""Rows made while they are chosen, when everything about them is at hand anyway.

A bundle needs to know all rows before it knows which it takes. To read and parse the taken ones
again would cost as much as choosing them; so whatever may be taken is made into its lines at once,
and waits in a spool. A line that is not taken costs a few microseconds and its place on the disk.
"""

from array import array
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple

from exports.candidates import Candidate, Judged, Offered
from exports.folder import disk_refusal
from exports.formats import Material, dpo_row, grpo_row, kto_row, sft_row, to_line
from exports.lines import FileLines, answer_hash, apart_from_equals
from exports.materials import Materials
from exports.pairs import Found, rated_of
from exports.said import Said
from exports.spool import Mark, Shut, Spool
from schemas.bundle import PoolName
from schemas.parts import QueryPart
from schemas.recipe import BundleRecipe, Format
from schemas.scoring.wire import to_text

_SAID: frozenset[Format] = frozenset({"dpo", "kto"})
"""Formats that set what models said beside the accepted plan."""
_FILES: Mapping[PoolName, tuple[Format, ...]] = {"sft": ("sft",), "grpo": ("grpo", "dpo", "kto")}


class Made(NamedTuple):
    """The lines of one format that another process has made: of which query, and where."""

    query_ids: list[str]
    ends: "array[int]"
    answers: "array[int]"
    shut: Shut


class _Both(NamedTuple):
    """What lines of one query are made of, and what they share with others."""

    material: Material
    mark: Mark


class Draft:
    """The lines of one format; those of a query stand together."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder)
        self.answers = array("Q")
        self._places: dict[str, int] = {}
        self._ends = array("q")

    def close_query(self, query_id: str) -> None:
        """Say that the lines since the last one said are those of this query."""
        end = len(self.spool)
        if end > (self._ends[-1] if self._ends else 0):
            self._places[query_id] = len(self._ends)
            self._ends.append(end)

    def lines(self, query_ids: Iterable[str]) -> FileLines:
        """The lines of a file, in the order of its queries; neighbours never answer alike."""
        places, ends = self._places, self._ends
        numbers = array("q")
        for query_id in query_ids:
            place = places.get(query_id)
            if place is not None:
                numbers.extend(range(ends[place - 1] if place else 0, ends[place]))
        if self.answers:
            numbers = array("q", apart_from_equals(numbers, self.answers.__getitem__))
        return FileLines(self.spool, numbers)

    def made(self) -> Made:
        """What was made here, for another process to adopt."""
        return Made(list(self._places), self._ends, self.answers, self.spool.shut())

    def adopt(self, made: Made, file: IO[bytes]) -> None:
        """Take in what was made elsewhere, of other queries."""
        first, known = self.spool.adopt(file, made.shut), len(self._places)
        self.answers.extend(made.answers)
        self._ends.extend([first + end for end in made.ends])
        self._places.update(zip(made.query_ids, count(known), strict=False))


class Drafts:
    """The lines of all formats that can be made in passing; the others are made by their ids."""

    def __init__(self, folder: Path, recipe: BundleRecipe, materials: Materials) -> None:
        self.folder = folder
        self._recipe = recipe
        self.materials = materials
        self.of: Mapping[Format, Draft] = {each: Draft(folder) for each in drafted(recipe)}
        self._formats: Mapping[PoolName, list[Format]] = {
            pool: [each for each in formats if each in self.of] for pool, formats in _FILES.items()
        }

    def close(self) -> None:
        """Let the lines go."""
        for draft in self.of.values():
            draft.spool.close()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(draft.spool.size for draft in self.of.values())

    def keep(self, offered: Offered, taken: Sequence[tuple[PoolName, Judged]]) -> None:
        """Make the lines of what pools may take of a query."""
        last: tuple[Judged, _Both] | None = None
        for pool, judged in taken:
            formats = self._formats[pool]
            if not formats:
                continue
            if last is None or last[0] is not judged:  # both pools may have the same row
                is_shared = len(formats) > 1 or len(taken) > 1
                last = judged, self._both(offered.query, judged, is_shared=is_shared)
            both, candidate = last[1], judged.candidate
            beside: dict[str, Material] = {}
            if candidate.kind == "accepted" and not _SAID.isdisjoint(formats):
                beside = {each.part.id: _beside(both.material, each) for each in offered.said}
            for format_ in formats:
                draft = self.of[format_]
                match format_:
                    case "dpo":
                        self._keep_pair(draft, candidate, both, beside)
                    case "kto":
                        self._keep_rated(draft, candidate, both, offered, beside)
                    case _:
                        self._keep_row(format_, draft, candidate, both)
                draft.close_query(candidate.query_id)

    def _both(self, query: QueryPart, judged: Judged, *, is_shared: bool) -> _Both:
        """What several lines share is JSON already."""
        materials = self.materials
        make = materials.make_encoded if is_shared else materials.make
        material = make(query, judged.candidate.kind, judged.plan, judged.trace)
        return _Both(material, materials.mark(query, material))

    def _keep_row(self, format_: Format, draft: Draft, candidate: Candidate, both: _Both) -> None:
        material, mark = both
        if format_ == "sft":
            origin = candidate.origin(candidate.trace_id, None)
            row = sft_row(material, self.materials.form)
        else:
            origin = candidate.origin(None, None)
            row = grpo_row(material, self.materials.form)
        draft.spool.add(origin, to_line(row), mark)

    def _keep_pair(
        self, draft: Draft, candidate: Candidate, both: _Both, beside: Mapping[str, Material]
    ) -> None:
        """An accepted plan that is taught, against the first that was corrected."""
        rejected = beside.get(candidate.rejected_id or "")
        is_taught = candidate.trace_reason is None or not self._recipe.with_thinking
        if rejected is not None and is_taught:
            origin = candidate.origin(candidate.trace_id, candidate.rejected_id)
            row = dpo_row(both.material, rejected, self.materials.form)
            draft.spool.add(origin, to_line(row), both.mark)

    def _keep_rated(
        self,
        draft: Draft,
        candidate: Candidate,
        both: _Both,
        offered: Offered,
        beside: Mapping[str, Material],
    ) -> None:
        """What models said to an accepted query, each with what it is worth."""
        if candidate.kind != "accepted":
            return
        wrong = {each.part.id for each in offered.said if each.state == "stale"}
        found = Found(candidate, offered.said, self._recipe.with_thinking)
        for origin in rated_of(found, self._recipe):
            if origin.kind == "accepted":
                material, mark = both.material._replace(trace=None), both.mark
            else:
                material = beside[origin.source_id]
                experts = tuple([step["expert"] for step in material.plan["steps"]])
                mark = both.mark._replace(experts=experts, misses_form=False)
            row = kto_row(material, self.materials.form, label=origin.source_id not in wrong)
            draft.spool.add(origin, to_line(row), mark)
            draft.answers.append(answer_hash(row))


def _beside(material: Material, said: Said) -> Material:
    """What a model said, to the same messages."""
    part, plan, *_ = said
    text = material.plan_text if plan is material.plan else to_text(plan, material.dialect)
    return material._replace(
        channel="suggestions", plan=plan, trace=part.trace, old_answer=None, plan_text=text
    )


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
