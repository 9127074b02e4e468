"""Rows made while they are chosen, when everything about them is at hand anyway.

A bundle needs to know all rows before it knows which it takes. To read and parse the taken ones
again would cost as much as choosing them; so whatever may be taken is made into its line at once,
and waits in a spool. A line that is not taken costs a few microseconds and its place on the disk.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from db.access.exports import QueryPart
from exports.candidates import Judged
from exports.folder import disk_refusal
from exports.formats import Material, grpo_row, sft_row, to_line
from exports.materials import Materials
from exports.spool import Mark, Spool
from schemas.bundle import PoolName
from schemas.recipe import Format


class Draft:
    """The lines of one pool, found by query."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder)
        self.numbers: dict[str, int] = {}


class Drafts:
    """The lines of `sft` and `grpo` files; a query has one in each pool."""

    def __init__(self, folder: Path, formats: tuple[Format, ...], materials: Materials) -> None:
        self._materials = materials
        self._of: Mapping[str, Draft] = {
            name: Draft(folder) for name in ("sft", "grpo") if name in formats
        }
        self._last: tuple[Judged, Material, Mark] | None = None

    def close(self) -> None:
        """Let the lines go."""
        for draft in self._of.values():
            draft.spool.close()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(draft.spool.size for draft in self._of.values())

    def find(self, format_: Format) -> Draft | None:
        """The lines of a file; none where they are made later, by their ids."""
        return self._of.get(format_)

    def keep(self, pool: PoolName, query: QueryPart, judged: Judged) -> None:
        """Make the line of a row that the pool may take."""
        draft = self._of.get(pool)
        if draft is None:
            return
        if self._last is None or self._last[0] is not judged:  # the other pool had the same row
            material = self._materials.make(query, judged.candidate.kind, judged.plan, judged.trace)
            self._last = judged, material, self._materials.mark(query, material)
        _, material, mark = self._last
        to_row = sft_row if pool == "sft" else grpo_row
        line = to_line(to_row(material, self._materials.form))
        draft.numbers[query.id] = draft.spool.add(line, mark)


@contextmanager
def open_drafts(
    folder: Path, formats: tuple[Format, ...], materials: Materials
) -> Generator[Drafts]:
    """Drafts that wait beside the folder of a bundle, and are gone when the block ends.

    Raises:
        ExportRefused: `export.disk_full`, `export.cannot_write`.
    """
    drafts: Drafts | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drafts = Drafts(folder, formats, materials)
        yield drafts
    except OSError as error:
        # So much is waiting already, and most of it is to be written once more.
        needed = 2 * drafts.size if drafts else 0
        raise disk_refusal(error, folder, needed) from error
    finally:
        if drafts is not None:
            drafts.close()
