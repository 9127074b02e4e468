"""The exact row of each file of a bundle, as ms-swift 4.6 reads it; pure functions.

* `sft`: `messages` (system, history turns, user, assistant; the thinking stands inside `content`,
  since `reasoning_content` is thrown away) and `channel` (the source, for a loss curve each).
* `grpo`: `messages` without the answer, `solution` (the accepted answer's JSON in the row's
  dialect), `plan_experts` and `plan_meta` (JSON strings: the row's own list, and what its rewards
  are told), `plan_id`, `chat_template_kwargs`.
* `dpo`: an `sft` row with `rejected_response`, which differs.
* `kto`: an `sft` row with `label`.

Not one key is among those that ms-swift reserves or renames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from schemas.dialects import render_plain_answer
from schemas.recipe import BundleRecipe, SourceKind, Think
from schemas.scoring.wire import to_text

Row = dict[str, Any]
Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowForm:
    """What a recipe says about the form of every row; one for a whole bundle."""

    with_thinking: bool
    think: Think
    banned_words: tuple[str, ...]
    is_verbatim: bool

    @classmethod
    def of(cls, recipe: BundleRecipe) -> "RowForm":
        """The form that a resolved recipe asks for."""
        return cls(
            with_thinking=recipe.with_thinking,
            think=recipe.think or Think(),
            banned_words=recipe.banned_words or (),
            is_verbatim=recipe.history_answers == "verbatim",
        )


class Material(NamedTuple):
    """What one row is made of.

    `messages` ends with the user's turn; those of a historical chat row are its own. `old_answer`
    is the answer of such a row, byte for byte.
    """

    query_id: str
    channel: SourceKind
    messages: Sequence[Message]
    expert_names: tuple[str, ...]
    list_reference: str
    dialect: str
    plan: Mapping[str, Any]
    trace: str | None = None
    old_answer: str | None = None


def sft_row(material: Material, form: RowForm) -> Row:
    """One row of `sft.jsonl`."""
    answer = {"role": "assistant", "content": answer_text(material, form)}
    return {"messages": [*material.messages, answer], "channel": material.channel}


def grpo_row(material: Material, form: RowForm) -> Row:
    """One row of `grpo.jsonl`."""
    return {
        "messages": list(material.messages),
        "solution": to_text(material.plan, material.dialect),
        "plan_experts": _names_text(material.expert_names),
        "plan_meta": _meta_text(form, material.dialect, material.list_reference),
        "plan_id": material.query_id,
        "chat_template_kwargs": {"enable_thinking": form.with_thinking},
    }


def dpo_row(material: Material, rejected: Material, form: RowForm) -> Row:
    """One row of `dpo.jsonl`: the accepted plan against a model's, to the same messages."""
    return sft_row(material, form) | {"rejected_response": answer_text(rejected, form)}


def kto_row(material: Material, form: RowForm, *, label: bool) -> Row:
    """One row of `kto.jsonl`: a model's plan, and whether it is as good as the accepted one."""
    return sft_row(material, form) | {"label": label}


def answer_text(material: Material, form: RowForm) -> str:
    """The assistant's whole text, in the bundle's form; verbatim where the recipe wants it so."""
    if form.is_verbatim and material.old_answer is not None:
        return material.old_answer
    trace = (material.trace or "") if form.with_thinking else None
    return render_plain_answer(material.plan, material.dialect, trace)


def plan_meta(form: RowForm, dialect: str, list_reference: str) -> Row:
    """What the rewards of a row are told beside its own list."""
    return {
        "dialect": dialect,
        "list_version": list_reference,
        "with_thinking": form.with_thinking,
        "think_min": form.think.min,
        "think_max": form.think.max,
        "think_eps": form.think.eps,
        "think_curve": form.think.curve,
        "think_unit": form.think.unit,
        "banned_words": form.banned_words,
    }


def to_line(row: Row) -> bytes:
    """One JSON object on one line: UTF-8, no BOM."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def line_head(system: str) -> bytes:
    """How the line of any row with this system message begins; `messages` come first in all."""
    return orjson.dumps({"messages": [{"role": "system", "content": system}]})[: -len("]}")]


@lru_cache(256)
def _meta_text(form: RowForm, dialect: str, list_reference: str) -> str:
    return orjson.dumps(plan_meta(form, dialect, list_reference)).decode()


@lru_cache(256)
def _names_text(names: tuple[str, ...]) -> str:
    return orjson.dumps(names).decode()
