"""Checks of rows among each other: none twice, no question on both sides of a split or pool."""

from exports.checks.lines import Check, Held, Judge, Line
from exports.splits import RULE
from schemas.recipe import SFT_FORMATS


def _ids_twice(_: Held) -> Judge:
    """A twin has its parent's id, and says that it is one."""
    seen: set[tuple[str, bool]] = set()

    def judge(line: Line) -> bool:
        if line.kind != "grpo":
            return False
        key = (str(line.row.get("plan_id")), (line.meta or {}).get("augmented") is True)
        return key in seen or seen.add(key) is not None

    return judge


def _rows_twice(_: Held) -> Judge:
    """Of one format; equal texts of different queries are honest."""
    seen: set[tuple[object, ...]] = set()

    def judge(line: Line) -> bool:
        origin = line.origin
        if origin is None:
            return False
        key = (line.kind, *origin[1:5], origin.variant)
        return key in seen or seen.add(key) is not None

    return judge


def _neighbours_equal(_: Held) -> Judge:
    """KTO pairs each row with its neighbour's answer, and drops it where they are the same."""
    last: dict[str, object] = {}

    def judge(line: Line) -> bool:
        if line.kind != "kto":
            return False
        answer = line.row["messages"][-1].get("content")
        is_same = last.get(line.file) == answer
        last[line.file] = answer
        return is_same

    return judge


def _on_both_sides(_: Held) -> Judge:
    sides: dict[str, bool] = {}

    def judge(line: Line) -> bool:
        if line.source is None:
            return False
        return sides.setdefault(line.source.query.cluster, line.is_val) != line.is_val

    return judge


def _in_both_pools(held: Held) -> Judge:
    pools: dict[str, bool] = {}
    is_apart = held.terms.get("pools") == "apart"
    is_near = held.sources is not None and held.manifest.get("apart") == RULE
    keys = held.sources.keys if is_near and held.sources is not None else dict[str, str]()

    def judge(line: Line) -> bool:
        if line.source is None or not is_apart:
            return False
        is_sft, cluster = line.kind in SFT_FORMATS, line.source.query.cluster
        return pools.setdefault(keys.get(cluster, cluster), is_sft) != is_sft

    return judge


CHECKS: tuple[Check, ...] = (
    Check("row_id_doubled", _ids_twice),
    Check("row_doubled", _rows_twice),
    Check("row_neighbour_equal", _neighbours_equal),
    Check("row_on_both_sides", _on_both_sides),
    Check("row_in_both_pools", _in_both_pools),
)
