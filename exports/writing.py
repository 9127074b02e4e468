"""Writing the folder of a bundle: dataset files, plugin, training recipes, card, manifest."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from db.engine import Session
from exports.card import CardFacts, card_text
from exports.choose import Selection
from exports.drafts import Drafts
from exports.folder import FolderWriter, new_folder
from exports.lines import file_lines
from exports.manifest import NAME as MANIFEST
from exports.manifest import manifest_parts
from exports.rows import Renderer, origins_of
from exports.scoring_files import scoring_files
from exports.spool import Tally
from exports.training.recipes import recipe_files
from schemas.bundle import FileFact, PoolFigures, RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import BundleRecipe
from schemas.scoring.check import Problem

_PROGRESS_S = 0.5

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
    renderer: Renderer,
    contents: Contents,
    *,
    target: Path,
    drafts: Drafts | None = None,
    on_progress: OnProgress | None = None,
) -> Written:
    """Write a bundle's folder, whole or not at all.

    Raises:
        ExportRefused: the disk is full, the folder is taken, or a row is not what it was.
        InvalidInput: `export.nothing_selected`; a format that was asked for has no row.
    """
    rows: dict[str, list[RowOrigin]] = {}
    tallies: dict[str, Tally] = {}
    with new_folder(target) as writer:
        progress = _Progress(writer, contents, on_progress)
        for name, origins in contents.origins.items():
            with file_lines(name, origins, renderer, drafts, target.parent) as lines:
                written: list[RowOrigin] = []
                if writer.write(name, progress.counted(lines.blocks(written))):
                    rows[name], tallies[name] = written, lines.tally()
                elif not name.endswith("_val.jsonl"):
                    problems = [Problem(name, "export.reason_no_rejected", {})]
                    raise InvalidInput("export.nothing_selected", problems, file=name)
        writer.done = 1.0
        files = _write_companions(writer, contents, rows, tallies)
        parts = manifest_parts(
            contents.recipe,
            renderer.materials.pinned,
            contents.pools,
            files=files,
            rows=rows,
            tally=Tally.of_all(tallies.values()),
        )
        writer.write(MANIFEST, parts)
    return Written(files, rows, writer.facts[MANIFEST].sha256)


def _write_companions(
    writer: FolderWriter,
    contents: Contents,
    rows: Mapping[str, list[RowOrigin]],
    tallies: Mapping[str, Tally],
) -> dict[str, FileFact]:
    """Plugin, training recipes and card; the facts of all files so far."""
    recipe = contents.recipe
    files = scoring_files() | recipe_files(
        recipe.training, with_thinking=recipe.with_thinking, weights=recipe.weights
    )
    for name, content in sorted(files.items()):
        writer.write(name, [content])
    facts = CardFacts(
        recipe,
        contents.pools,
        {name: len(each) for name, each in rows.items()},
        {name: tally.steps_by_expert for name, tally in tallies.items()},
        Tally.of_all(tallies.values()).form_missed,
    )
    writer.write("CARD.md", [card_text(facts).encode()])
    return dict(writer.facts)


class _Progress:
    """Tells now and then how many rows are written."""

    def __init__(
        self, writer: FolderWriter, contents: Contents, on_progress: OnProgress | None
    ) -> None:
        self._writer, self._tell, self._done = writer, on_progress, 0
        self._expected = max(1, sum(map(len, contents.origins.values())))
        self._told_at = time.monotonic()

    def counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._done += block.count(b"\n")
            self._writer.done = self._done / self._expected
            if self._tell and time.monotonic() - self._told_at > _PROGRESS_S:
                self._tell(self._done, self._expected)
                self._told_at = time.monotonic()
            yield block
