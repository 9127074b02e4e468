"""Faults that only ms-swift can tell: what it drops, casts, throws away, or cannot take.

Each damages a row of its own, so that all of them can be planted in one bundle.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.good_bundle import KIND, VARIANT, GoodBundle, read_rows
from tests.planting import Fault, Places, Plant, changed, origins_of

Row = dict[str, Any]


def _in_row(file: str, number: int, change: Callable[[Row], None]) -> Plant:
    """The row with this number among those that are asked by our prompt and are no twins."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, origins = read_rows(folder, file), origins_of(folder, file)
        ours = [
            place
            for place, origin in enumerate(origins)
            if origin[KIND] != "history" and not origin[VARIANT]
        ]
        change(rows[ours[number]])
        return changed(folder, file, rows, ours[number])

    return plant


def _unknown_role(row: Row) -> None:
    row["messages"][-2]["role"] = "robot"


def _thinking_beside(row: Row) -> None:
    row["messages"][-1]["reasoning_content"] = "在别处想"


def _without_channel(row: Row) -> None:
    del row["channel"]


def _label_as_text(row: Row) -> None:
    row["label"] = str(row["label"]).lower()


def _without_answer(row: Row) -> None:
    del row["messages"][-1]


def _second_system(row: Row) -> None:
    row["messages"].insert(2, {"role": "system", "content": "又一个系统提示"})


def _very_long(row: Row) -> None:
    row["messages"][-2]["content"] += "".join(f"第{number}家店的订单" for number in range(4000))


FAULTS = (
    Fault(
        "a row that is dropped without a word", "row_lost", _in_row("dpo.jsonl", 2, _unknown_role)
    ),
    Fault("thinking in a key of its own", "row_changed", _in_row("sft.jsonl", 0, _thinking_beside)),
    Fault("a column that one row lacks", "row_cast", _in_row("sft.jsonl", 1, _without_channel)),
    Fault("a label that is text", "row_cast", _in_row("kto.jsonl", 0, _label_as_text)),
    Fault("a row without an answer", "row_no_answer", _in_row("sft.jsonl", 2, _without_answer)),
    Fault(
        "messages that no template takes",
        "row_not_tokenised",
        _in_row("sft.jsonl", 3, _second_system),
    ),
    Fault("a row longer than max_length", "row_too_long", _in_row("sft.jsonl", 4, _very_long)),
)
