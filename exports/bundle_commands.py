"""The commands `export` and `bundles`."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from exports.bundle import (
    bundle_folder,
    create_bundle,
    diff,
    get_bundle,
    list_bundles,
    rebuild,
    recall,
)
from exports.card import shift_text
from exports.folder import copy_folder
from exports.preview import preview_recipe
from labeling.command_line import ALL_DONE, SOME_REFUSED, CommandContext, Subparsers
from schemas.bundle import BundleView, PoolFigures
from schemas.errors import InvalidInput
from schemas.recipe import BundleRecipe, parse_recipe
from schemas.sentences import sentence

RECIPES = Path(__file__).parent / "recipes"


def add_commands(commands: Subparsers) -> None:
    """Add `export` and `bundles`."""
    export = commands.add_parser("export", help="write, verify and keep a bundle of training data")
    what = export.add_mutually_exclusive_group(required=True)
    known = ", ".join(shipped_recipes())
    what.add_argument("--recipe", help=f"a YAML or JSON file, or one that ships: {known}")
    what.add_argument("--rebuild", metavar="MANIFEST", type=Path, help="write it again from this")
    goal = export.add_mutually_exclusive_group(required=True)
    goal.add_argument("--out", metavar="DIR", type=Path, help="a new folder")
    goal.add_argument(
        "--preview", action="store_true", help="say what the recipe would write, and write nothing"
    )
    export.set_defaults(run=_export)
    bundles = commands.add_parser("bundles", help="look at bundles")
    acts = bundles.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="all bundles, newest first").set_defaults(run=_list)
    compare = acts.add_parser("diff", help="rows and recipes of two bundles")
    compare.add_argument("a", metavar="A", help="id, beginning of an id, or name (the newest)")
    compare.add_argument("b", metavar="B")
    compare.set_defaults(run=_diff)
    recalled = acts.add_parser("recall", help="every row that came from a query")
    recalled.add_argument("query_id", metavar="QUERY_ID")
    recalled.set_defaults(run=_recall)


def shipped_recipes() -> list[str]:
    """The names of the recipes that ship."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load_recipe(reference: str) -> BundleRecipe:
    """A recipe from a file, or one that ships by its name.

    Raises:
        InvalidInput: there is no such recipe, or something is wrong with it.
    """
    path = RECIPES / f"{reference}.yaml" if reference in shipped_recipes() else Path(reference)
    try:
        return parse_recipe(path.read_text("utf-8-sig"))
    except OSError as error:
        known = ", ".join(shipped_recipes())
        raise InvalidInput("export.recipe_file_missing", path=reference, known=known) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("export.recipe_not_yaml", line=1) from error


def _export(context: CommandContext, args: argparse.Namespace) -> int:
    if args.preview:
        return _preview(context, args.recipe)
    if args.rebuild:
        return _rebuild(context, args.rebuild, args.out)
    recipe, who, out = load_recipe(args.recipe), context.actor(), args.out.resolve()
    refuse_taken(out)
    bundle_id = create_bundle(context.database, context.settings, who, recipe)
    bundle = get_bundle(context.database, who, bundle_id)
    copy_folder(bundle_folder(context.settings, bundle), out)
    if context.as_json:
        _print_json(bundle)
    else:
        _print_bundle(context, bundle, out)
    return ALL_DONE


def _preview(context: CommandContext, recipe: str | None) -> int:
    if recipe is None:
        raise InvalidInput("export.preview_of_recipe")
    found = preview_recipe(context.database, context.actor(), load_recipe(recipe))
    if context.as_json:
        _print_json(found)
        return ALL_DONE
    for name, rows in found.files.items():
        _say(context, "preview_file", file=name, rows=rows)
    _print_pools(context, found.pools)
    return ALL_DONE


def _rebuild(context: CommandContext, manifest: Path, out: Path) -> int:
    rebuilt = rebuild(context.database, context.actor(), manifest, out.resolve())
    if context.as_json:
        print(orjson.dumps(rebuilt._asdict()).decode())
    elif rebuilt.differing:
        _say(context, "rebuild_differs", files=", ".join(rebuilt.differing))
        if rebuilt.code_changed:
            _say(context, "rebuild_code_changed")
    else:
        _say(context, "rebuild_equal", count=rebuilt.files)
    return SOME_REFUSED if rebuilt.differing else ALL_DONE


def _list(context: CommandContext, _: argparse.Namespace) -> int:
    bundles = list_bundles(context.database, context.actor())
    if context.as_json:
        _print_json(*bundles)
        return ALL_DONE
    for each in bundles:
        state = _words(context, f"state_{each.state}")
        rows = sum(each.rows.values())
        values = {"bundle_id": each.bundle_id, "name": each.name, "state": state, "rows": rows}
        _say(context, "bundle_line", **values)
    if not bundles:
        _say(context, "no_bundles")
    return ALL_DONE


def _diff(context: CommandContext, args: argparse.Namespace) -> int:
    difference = diff(context.database, context.actor(), args.a, args.b)
    if context.as_json:
        _print_json(difference)
        return ALL_DONE
    for file in difference.files:
        _say(context, "diff_file", a=args.a, b=args.b, **dict(file))
    for key, (a, b) in difference.recipe.items():
        _say(context, "diff_recipe", key=key, a=a, b=b)
    if not difference.recipe:
        _say(context, "diff_same_recipe")
    return ALL_DONE


def _recall(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.lineage import holders_of  # noqa: PLC0415

    who = context.actor()
    lines = recall(context.database, who, args.query_id)
    holders = holders_of(context.database, context.settings, who, args.query_id)
    if context.as_json:
        held_by = [each.model_dump(mode="json") for each in holders]
        for line in lines:
            print(orjson.dumps({**line.model_dump(mode="json"), "held_by": held_by}).decode())
        return ALL_DONE
    for line in lines:
        _say(context, "recalled_line", **dict(line))
    for holder in holders:
        run = holder.run
        values = {"run": run.run_id, "stage": run.stage, "bundle": holder.bundle}
        name = "held_inherited" if holder.is_inherited else "held"
        _say(context, name, **values, planner=run.planner or "–")
    if lines:
        _say(context, "recalled", query_id=args.query_id, count=len(lines))
    else:
        _say(context, "not_recalled", query_id=args.query_id)
    return ALL_DONE


def _print_bundle(context: CommandContext, bundle: BundleView, out: Path) -> None:
    _print_pools(context, bundle.pools)
    state, rows = _words(context, f"state_{bundle.state}"), sum(bundle.rows.values())
    _say(context, "written", rows=rows, folder=out, state=state)


def _print_pools(context: CommandContext, pools: Iterable[PoolFigures]) -> None:
    for pool in pools:
        _say(context, "pool_line", pool=pool.pool, train=pool.train, val=pool.val)
        for each in pool.sources:
            kind, share = _words(context, f"kind_{each.kind}"), f"{each.share * 100:.1f} %"
            values = {"kind": kind, "taken": each.taken, "found": each.found, "share": share}
            print("  " + _words(context, "source_line", **values))
            for reason, count in each.exclusions.items():
                why = _words(context, f"reason_{reason}")
                print("    " + _words(context, "left_out", count=count, reason=why))
        if pool.shift is not None:
            print("  " + shift_text(context.language, pool.shift))


def refuse_taken(out: Path) -> None:
    """Refuse a folder that holds something before any work is done.

    Raises:
        InvalidInput: `export.folder_taken`.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput("export.folder_taken", folder=out)


def _words(context: CommandContext, name: str, **values: object) -> str:
    return sentence(f"export.{name}", values, context.language)


def _say(context: CommandContext, name: str, **values: object) -> None:
    print(_words(context, name, **values))


def _print_json(*values: BaseModel) -> None:
    for value in values:
        plain: dict[str, Any] = value.model_dump(mode="json")
        print(orjson.dumps(plain, option=orjson.OPT_NON_STR_KEYS).decode())
