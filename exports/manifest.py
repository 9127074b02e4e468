"""What a bundle says of itself: recipe, versions, figures, hashes, and the origin of each line.

No clock, path or host stands in it, and a rebuild needs nothing but it and the database. The lines
are written one to a line, so that two manifests can be compared by eye.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import orjson
from pydantic import ValidationError

from exports.ledger import Ledger
from exports.materials import Pinned
from exports.spool import Tally
from schemas.bundle import FileFact, PoolFigures, RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import FORMATS, BundleRecipe
from schemas.scoring.source import source_hash

FORMAT = "planwright-bundle@1"
NAME = "manifest.json"
_ROOT = Path(__file__).parents[1]
_ROW_CODE = (
    "exports/augment.py",
    "exports/chance.py",
    "exports/drafts.py",
    "exports/formats.py",
    "exports/lines.py",
    "exports/materials.py",
    "exports/pairs.py",
    "schemas/old_answers.py",
    "exports/rows.py",
    "exports/spool.py",
    "schemas/dialects/__init__.py",
    "schemas/plan.py",
    "schemas/plan_import.py",
    "schemas/prompt.py",
    "schemas/prompts/agent.en.txt",
    "schemas/prompts/agent.zh.txt",
    "schemas/reply_json.py",
    "schemas/staleness.py",
    "schemas/trace.py",
)
_SHALLOW = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_KEYS = {"format", "recipe", "pools", "files", "rows", "row_code"}


@cache
def row_code_hash() -> str:
    """SHA-256 over the sources that decide the bytes of a row."""
    digest = sha256()
    scoring = sorted((_ROOT / "schemas" / "scoring").glob("*.py"))
    for path in [*(_ROOT / name for name in _ROW_CODE), *scoring]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def shown_recipe(recipe: BundleRecipe) -> dict[str, Any]:
    """The recipe as the manifest holds it: a model folder of this machine is left out.

    So is what older recipes could not say, where it says nothing new: a bundle of theirs is rebuilt
    byte for byte.
    """
    value = recipe.model_dump(mode="json")
    if recipe.prefer == "shortest":
        del value["prefer"]
    if recipe.verification.model != "tiny":
        value["verification"]["model"] = None
    return value


def manifest_parts(
    recipe: BundleRecipe,
    pinned: Pinned,
    pools: tuple[PoolFigures, ...],
    *,
    rules: Mapping[str, str | None],
    files: Mapping[str, FileFact],
    ledger: Ledger,
    tally: Tally,
) -> Iterator[bytes]:
    """The bytes of `manifest.json`, in parts."""
    lists = {each.reference: each.content_hash for each in pinned.lists.values()}
    used = {reference for pool in pools for reference in pool.spread.by_list}
    head = {
        "format": FORMAT,
        "name": recipe.name,
        "recipe": shown_recipe(recipe),
        "row_code": row_code_hash(),
        "scoring": source_hash(),
        **{name: rule for name, rule in rules.items() if rule},
        "form_missed": tally.form_missed,
        "lists": {reference: lists[reference] for reference in sorted(used)},
        "prompts": pinned.used_prompts(tally),
        "pools": [_plain(pool) for pool in pools],
        "files": {name: files[name].model_dump(exclude_none=True) for name in sorted(files)},
    }
    yield b"{\n"
    for key, value in head.items():
        yield orjson.dumps(key) + b": " + orjson.dumps(value, option=_SHALLOW) + b",\n"
    yield b'"rows": {'
    for number, name in enumerate(sorted(ledger.rows)):
        yield (b",\n" if number else b"\n") + orjson.dumps(name) + b": ["
        between = b"\n"
        for origins in ledger.origins(name):
            yield between + origins[:-1].replace(b"\n", b",\n")
            between = b",\n"
        yield b"]"
    yield b"}\n}\n"


def _plain(pool: PoolFigures) -> dict[str, Any]:
    """As bundles have it that knew of no near-duplicates, where there are none to tell of."""
    return pool.model_dump(mode="json", exclude=None if pool.near else {"near"})


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest, or a bundle folder's.

    Raises:
        InvalidInput: `export.manifest_unreadable`.
    """
    if path.is_dir():
        path /= NAME
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InvalidInput("export.manifest_unreadable", path=path) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT or _KEYS - value.keys():
        raise InvalidInput("export.manifest_unreadable", path=path)
    return cast(dict[str, Any], value)


def read_pools(value: object, path: Path) -> tuple[PoolFigures, ...]:
    """The figures of a manifest's pools.

    Raises:
        InvalidInput: `export.manifest_unreadable`.
    """
    try:
        return tuple(PoolFigures.model_validate(each) for each in cast(list[object], value))
    except (ValidationError, TypeError) as error:
        raise InvalidInput("export.manifest_unreadable", path=path) from error


def read_rows(value: object, path: Path) -> dict[str, list[RowOrigin]]:
    """The origins of a manifest's lines, by file.

    Raises:
        InvalidInput: `export.manifest_unreadable`.
    """
    try:
        files = cast(dict[str, list[list[Any]]], value)
        return {name: [RowOrigin(*each) for each in rows] for name, rows in files.items()}
    except (TypeError, AttributeError) as error:
        raise InvalidInput("export.manifest_unreadable", path=path) from error


def in_order(names: Iterable[str]) -> list[str]:
    """Dataset files in the order in which a bundle writes them.

    Raises:
        InvalidInput: `export.manifest_unreadable`; another name is among them.
    """
    known = [f"{name}{suffix}.jsonl" for name in FORMATS for suffix in ("", "_val")]
    names = list(names)
    if strange := set(names) - set(known):
        raise InvalidInput("export.manifest_unreadable", path=", ".join(sorted(strange)))
    return sorted(names, key=known.index)
