"""Writing the folder of a bundle: dataset files, plugin, training recipes, card, manifest."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from db.engine import Session
from exports.candidates import Candidate
from exports.card import CardFacts, card_text
from exports.choose import ChosenPool, Selection, is_validation
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

OnProgress = Callable[[int, int], None]
Origins = Mapping[str, Iterator[RowOrigin] | list[RowOrigin]]
"""File name → what its lines are made of."""


class Contents(NamedTuple):
    """What a bundle is to hold, chosen now or read from a manifest."""

    recipe: BundleRecipe
    pools: tuple[PoolFigures, ...]
    origins: Origins
    expected_rows: int


class Written(NamedTuple):
    """A folder that was written."""

    files: dict[str, FileFact]
    rows: dict[str, list[RowOrigin]]
    manifest_hash: str


def contents_of(session: Session, project_id: str, selection: Selection) -> Contents:
    """The contents that a selection asks for."""
    recipe = selection.recipe
    origins: dict[str, Iterator[RowOrigin] | list[RowOrigin]] = {}
    expected = 0
    for format_ in recipe.formats:
        pool = selection.pools["sft" if format_ == "sft" else "grpo"]
        expected += len(pool.rows)
        for suffix in ("", "_val"):
            rows = _part(pool, recipe, is_val=bool(suffix))
            origins[f"{format_}{suffix}.jsonl"] = origins_of(
                session, project_id, format_, rows, with_thinking=recipe.with_thinking
            )
    figures = tuple(pool.figures for pool in selection.pools.values())
    return Contents(recipe, figures, origins, expected)


def _part(pool: ChosenPool, recipe: BundleRecipe, *, is_val: bool) -> Iterator[Candidate]:
    return (each for each in pool.rows if is_validation(each, recipe) == is_val)


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
    recipe = contents.recipe
    renderer = Renderer(session, project_id, pinned, RowForm.of(recipe))
    rows: dict[str, list[RowOrigin]] = {}
    experts: dict[str, dict[str, int]] = {}
    with new_folder(target) as writer:
        for name, origins in contents.origins.items():
            written: list[RowOrigin] = []
            done = sum(len(each) for each in rows.values())
            progress = _Progress(writer, done, contents.expected_rows, on_progress)
            renderer.steps_by_expert.clear()
            if writer.write(name, _lines(renderer, name, origins, written, progress)):
                rows[name] = written
                experts[name] = dict(renderer.steps_by_expert)
            elif not name.endswith("_val.jsonl"):
                problems = [Problem(name, "export.reason_no_rejected", {})]
                raise InvalidInput("export.nothing_selected", problems, file=name)
        writer.done = 1.0
        files = scoring_files() | recipe_files(
            recipe.training, with_thinking=recipe.with_thinking, weights=recipe.weights
        )
        for name, content in sorted(files.items()):
            writer.write(name, [content])
        counts = {name: len(each) for name, each in rows.items()}
        card = card_text(CardFacts(recipe, contents.pools, counts, experts, renderer.form_missed))
        writer.write("CARD.md", [card.encode()])
        facts = dict(writer.facts)
        parts = manifest_parts(
            recipe, pinned, contents.pools, files=facts, rows=rows, renderer=renderer
        )
        writer.write(MANIFEST, parts)
    return Written(facts, rows, writer.facts[MANIFEST].sha256)


class _Progress:
    """Tells how many rows are written, now and then."""

    def __init__(
        self, writer: FolderWriter, done: int, expected: int, on_progress: OnProgress | None
    ) -> None:
        self._writer, self._tell = writer, on_progress
        self._done, self._expected = done, max(1, expected)

    def step(self) -> None:
        self._done += 1
        if self._done % _PROGRESS_ROWS == 0:
            self._writer.done = min(1.0, self._done / self._expected)
            if self._tell:
                self._tell(min(self._done, self._expected), self._expected)


def _lines(
    renderer: Renderer,
    name: str,
    origins: Iterator[RowOrigin] | list[RowOrigin],
    written: list[RowOrigin],
    progress: _Progress,
) -> Iterator[bytes]:
    format_ = to_format(name)
    rows = renderer.render(format_, origins)
    for row, origin in apart_from_equals(rows) if format_ == "kto" else rows:
        line = to_line(row)
        written.append(origin._replace(row_hash=sha256(line).hexdigest()[:16]))
        progress.step()
        yield line


def to_format(name: str) -> Format:
    """The format of a dataset file's name."""
    format_ = name.removesuffix(".jsonl").removesuffix("_val")
    if format_ not in ("sft", "grpo", "dpo", "kto"):
        raise InvalidInput("export.manifest_unreadable", path=name)
    return format_
