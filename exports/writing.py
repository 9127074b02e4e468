"""Writing the folder of a bundle: dataset files, plugin, training recipes, card, manifest."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from db.engine import Session
from exports.card import CardFacts, card_text
from exports.choose import Selection
from exports.folder import FolderWriter, new_folder
from exports.formats import RowForm, to_line
from exports.manifest import NAME as MANIFEST
from exports.manifest import manifest_parts
from exports.rows import Pinned, Renderer, apart_from_equals, origins_of
from exports.scoring_files import scoring_files
from exports.training.recipes import recipe_files
from schemas.bundle import FileFact, PoolFigures, RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import BundleRecipe, Format
from schemas.scoring.check import Problem

_PROGRESS_ROWS = 5000
_SPOOL_BYTES = 1 << 20

OnProgress = Callable[[int, int], None]


class Contents(NamedTuple):
    """What a bundle is to hold, chosen now or read from a manifest.

    `origins` maps a file's name to what its lines are made of, in order.
    """

    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    origins: Mapping[str, list[RowOrigin]]


class Written(NamedTuple):
    """A folder that was written."""

    files: dict[str, FileFact]
    rows: dict[str, list[RowOrigin]]
    manifest_hash: str


def contents_of(session: Session, project_id: str, selection: Selection) -> Contents:
    """The contents that a selection asks for."""
    recipe = selection.recipe
    origins: dict[str, list[RowOrigin]] = {}
    for format_ in recipe.formats:
        pool = selection.pools["sft" if format_ == "sft" else "grpo"]
        for suffix, rows in (("", pool.train), ("_val", pool.val)):
            origins[f"{format_}{suffix}.jsonl"] = list(
                origins_of(session, project_id, format_, rows, with_thinking=recipe.with_thinking)
            )
    figures = tuple(pool.figures for pool in selection.pools.values())
    return Contents(recipe, figures, origins)


def write_bundle(
    session: Session,
    project_id: str,
    pinned: Pinned,
    contents: Contents,
    *,
    target: Path,
    on_progress: OnProgress | None = None,
) -> Written:
    """Write a bundle's folder, whole or not at all.

    Raises:
        ExportRefused: the disk is full, the folder is taken, or a row is not what it was.
        InvalidInput: `export.nothing_selected`; a format that was asked for has no row.
    """
    renderer = Renderer(session, project_id, pinned, RowForm.of(contents.recipe))
    rows: dict[str, list[RowOrigin]] = {}
    experts: dict[str, dict[str, int]] = {}
    with new_folder(target) as writer:
        progress = _Progress(writer, contents, on_progress)
        for name, origins in contents.origins.items():
            written: list[RowOrigin] = []
            renderer.steps_by_expert.clear()
            lines = _lines(renderer, name, origins, written, target.parent)
            if writer.write(name, progress.counted(lines)):
                rows[name] = written
                experts[name] = dict(renderer.steps_by_expert)
            elif not name.endswith("_val.jsonl"):
                problems = [Problem(name, "export.reason_no_rejected", {})]
                raise InvalidInput("export.nothing_selected", problems, file=name)
        writer.done = 1.0
        counts = {name: len(each) for name, each in rows.items()}
        facts = CardFacts(contents.recipe, contents.pools, counts, experts, renderer.form_missed)
        files = _write_companions(writer, facts)
        parts = manifest_parts(
            contents.recipe, pinned, contents.pools, files=files, rows=rows, renderer=renderer
        )
        writer.write(MANIFEST, parts)
    return Written(files, rows, writer.facts[MANIFEST].sha256)


def _write_companions(writer: FolderWriter, facts: CardFacts) -> dict[str, FileFact]:
    """Plugin, training recipes and card; the facts of all files so far."""
    recipe = facts.recipe
    files = scoring_files() | recipe_files(
        recipe.training, with_thinking=recipe.with_thinking, weights=recipe.weights
    )
    for name, content in sorted(files.items()):
        writer.write(name, [content])
    writer.write("CARD.md", [card_text(facts).encode()])
    return dict(writer.facts)


class _Progress:
    """Tells how many rows are written, now and then."""

    def __init__(
        self, writer: FolderWriter, contents: Contents, on_progress: OnProgress | None
    ) -> None:
        self._writer, self._tell, self._done = writer, on_progress, 0
        self._expected = max(1, sum(map(len, contents.origins.values())))

    def counted(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        for line in lines:
            self._done += 1
            if self._done % _PROGRESS_ROWS == 0:
                self._writer.done = self._done / self._expected
                if self._tell:
                    self._tell(self._done, self._expected)
            yield line


def _lines(
    renderer: Renderer,
    name: str,
    origins: list[RowOrigin],
    written: list[RowOrigin],
    folder: Path,
) -> Iterator[bytes]:
    """The lines of a file in order; what was written goes into `written`.

    Rows stand in the order of a hash, but are read in that of their ids, which lie together in the
    database; a spool between the two keeps memory constant.
    """
    format_ = to_format(name)
    if format_ == "kto":
        for row, origin in apart_from_equals(renderer.render(format_, origins)):
            line = to_line(row)
            written.append(_hashed(origin, line))
            yield line
        return
    order = sorted(range(len(origins)), key=lambda place: origins[place].query_id)
    spans = [(0, 0)] * len(origins)
    position = 0
    with tempfile.TemporaryFile(dir=folder, buffering=_SPOOL_BYTES) as spool:
        rendered = renderer.render(format_, (origins[place] for place in order))
        for place, (row, _) in zip(order, rendered, strict=True):
            line = to_line(row)
            spool.write(line)
            spans[place] = (position, len(line))
            position += len(line)
        spool.flush()
        for (start, length), origin in zip(spans, origins, strict=True):
            line = os.pread(spool.fileno(), length, start)
            written.append(_hashed(origin, line))
            yield line


def _hashed(origin: RowOrigin, line: bytes) -> RowOrigin:
    return RowOrigin(*origin[:6], sha256(line).hexdigest()[:16])


def to_format(name: str) -> Format:
    """The format of a dataset file's name.

    Raises:
        InvalidInput: `export.manifest_unreadable`; it is another name.
    """
    format_ = name.removesuffix(".jsonl").removesuffix("_val")
    if format_ not in ("sft", "grpo", "dpo", "kto"):
        raise InvalidInput("export.manifest_unreadable", path=name)
    return format_
