"""Writing the folder of a bundle: dataset files, plugin, training recipes, card, manifest."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from db.engine import Session
from exports.card import CardFacts, card_text
from exports.choose import Selection
from exports.drafts import Drafts
from exports.filling import pool_of
from exports.folder import FolderWriter, new_folder
from exports.ledger import Ledger, OnLines
from exports.lines import Block, FileLines
from exports.manifest import NAME as MANIFEST
from exports.manifest import in_order, manifest_parts
from exports.origins import origins_of
from exports.rows import Renderer, rendered_lines
from exports.scoring_files import scoring_files
from exports.splits import RULE, is_apart
from exports.spool import Tally
from exports.training.recipes import recipe_files
from schemas.bundle import AUGMENTED, FileFact, PoolFigures, RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import BundleRecipe
from schemas.scoring.check import Problem
from schemas.training_stages import PREFERENCES

_PROGRESS_S = 0.5

OnProgress = Callable[[int, int], None]


class Contents(NamedTuple):
    """What a bundle is to hold, chosen now or read from a manifest.

    `origins` maps a file's name to what its lines are made of, in order; `lines` to those that are
    made already. `split` is the rule by which rows were set apart to validate, where it has a name,
    and `apart` that by which the pools share nothing.
    """

    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    origins: Mapping[str, list[RowOrigin]]
    lines: Mapping[str, FileLines] = MappingProxyType({})
    split: str | None = None
    apart: str | None = None

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each file may have, in the order in which they are written."""
        rows = {name: len(each) for name, each in (*self.origins.items(), *self.lines.items())}
        return {name: rows[name] for name in in_order(rows)}


class Written(NamedTuple):
    """A folder that was written."""

    files: dict[str, FileFact]
    manifest_hash: str


def contents_of(
    session: Session, project_id: str, selection: Selection, drafts: Drafts | None = None
) -> Contents:
    """The contents that a selection asks for; from the drafts where they have its lines."""
    recipe = selection.recipe
    origins: dict[str, list[RowOrigin]] = {}
    lines: dict[str, FileLines] = {}
    for format_ in recipe.formats:
        pool = selection.pools[pool_of(format_)]
        for suffix, rows in (("", pool.train), ("_val", pool.val)):
            name = f"{format_}{suffix}.jsonl"
            if drafts is not None and format_ in drafts.of:
                lines[name] = drafts.of[format_].lines(rows.query_ids)
            else:
                made_of = origins_of(session, project_id, format_, rows.candidates, recipe)
                origins[name] = list(made_of)
    figures = tuple(pool.figures for pool in selection.pools.values())
    split, apart = (RULE if is_so else None for is_so in (bool(recipe.val_share), is_apart(recipe)))
    return Contents(recipe, figures, origins, lines, split, apart)


def write_bundle(
    renderer: Renderer,
    contents: Contents,
    *,
    target: Path,
    on_lines: OnLines | None = None,
    on_progress: OnProgress | None = None,
) -> Written:
    """Write a bundle's folder, whole or not at all.

    Raises:
        ExportRefused: the disk is full, the folder is taken, or a row is not what it was.
        InvalidInput: `export.nothing_selected`; a format that was asked for has no row.
    """
    tallies: dict[str, Tally] = {}
    with new_folder(target) as writer, Ledger(target.parent, on_lines) as ledger:
        progress = _Progress(writer, contents, on_progress)
        for name in contents.rows:
            with _lines(name, contents, renderer, target.parent) as lines:
                if writer.write(name, ledger.entered(name, progress.counted(lines.blocks()))):
                    tallies[name] = lines.tally()
                elif not name.endswith("_val.jsonl"):
                    problems = [Problem(name, "export.reason_no_rejected", {})]
                    raise InvalidInput("export.nothing_selected", problems, file=name)
        writer.done = 1.0
        files = _write_companions(writer, contents, ledger.rows, tallies)
        parts = manifest_parts(
            contents.recipe,
            renderer.materials.pinned,
            contents.pools,
            rules={"split": contents.split, "apart": contents.apart},
            files=files,
            ledger=ledger,
            tally=Tally.of_all(tallies.values()),
        )
        writer.write(MANIFEST, parts)
    return Written(files, writer.facts[MANIFEST].sha256)


@contextmanager
def _lines(name: str, contents: Contents, renderer: Renderer, folder: Path) -> Generator[FileLines]:
    """The lines of a file that are made already, or are made now."""
    made = contents.lines.get(name)
    if made is not None:
        yield made
        return
    with rendered_lines(name, contents.origins[name], renderer, folder) as lines:
        yield lines


def _write_companions(
    writer: FolderWriter,
    contents: Contents,
    rows: Mapping[str, int],
    tallies: Mapping[str, Tally],
) -> dict[str, FileFact]:
    """Plugin, training recipes and card; the facts of all files so far."""
    recipe = contents.recipe
    files = scoring_files() | recipe_files(
        recipe.training,
        with_thinking=recipe.with_thinking,
        weights=recipe.weights,
        preferences=[each for each in PREFERENCES if each in recipe.formats],
    )
    for name, content in sorted(files.items()):
        writer.write(name, [content])
    facts = CardFacts(
        recipe,
        contents.pools,
        rows,
        {name: tally.steps_by_expert for name, tally in tallies.items()},
        Tally.of_all(tallies.values()).form_missed,
        {
            name: twins
            for name, each in contents.origins.items()
            if (twins := sum(origin.variant == AUGMENTED for origin in each))
        },
    )
    writer.write("CARD.md", [card_text(facts).encode()])
    return dict(writer.facts)


class _Progress:
    """Tells now and then how many rows are written."""

    def __init__(
        self, writer: FolderWriter, contents: Contents, on_progress: OnProgress | None
    ) -> None:
        self._writer, self._tell, self._done = writer, on_progress, 0
        self._expected = max(1, sum(contents.rows.values()))
        self._told_at = time.monotonic()

    def counted(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self._done += block.rows
            self._writer.done = self._done / self._expected
            if self._tell and time.monotonic() - self._told_at > _PROGRESS_S:
                self._tell(self._done, self._expected)
                self._told_at = time.monotonic()
            yield block
