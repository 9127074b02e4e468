"""The exact row of each file of a bundle, as ms-swift 4.6 reads it; pure functions.

* `sft`: `messages` (system, history turns, user, assistant; the thinking stands inside `content`,
  since `reasoning_content` is thrown away) and `channel` (the source, for a loss curve each).
* `grpo`: `messages` without the answer, `solution` (the accepted answer's JSON in the row's
  dialect), `plan_experts` and `plan_meta` (JSON strings: the row's own list, and what its rewards
  are told), `plan_id`, `chat_template_kwargs`.
* `dpo`: an `sft` row with `rejected_response`, which differs.
* `kto`: an `sft` row with `label`.
* `agent`: the plan as calls of tools: `tools` (a JSON string, one function for each expert of the
  row's own list), `messages` whose assistant says the rewritten query (after its thinking) and then
  calls an expert in each `tool_call`, and `channel`. A plan without steps calls nothing.

In a recipe that mixes, a row is written without thinking where its material says so. Not one key is
among those that ms-swift reserves or renames, but for `tools` where it means tools.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from exports.chance import is_plain
from schemas.dialects import answer_around, render_thinking
from schemas.experts import Expert
from schemas.recipe import Augmentation, BundleRecipe, SourceKind, Think
from schemas.scoring.wire import to_text

Row = dict[str, Any]
Message = Mapping[str, str]
_CALL_TAG = re.compile(r"<(/?tool_(?:call|response))>")


@dataclass(frozen=True, slots=True, eq=False)
class RowForm:
    """What a recipe says about the form of every row; one for a bundle, equal to itself alone."""

    with_thinking: bool
    think: Think
    banned_words: tuple[str, ...]
    is_verbatim: bool
    plain_share: float = 0.0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    has_agent: bool = False

    @classmethod
    def of(cls, recipe: BundleRecipe) -> "RowForm":
        """The form that a resolved recipe asks for."""
        return cls(
            with_thinking=recipe.with_thinking,
            think=recipe.think or Think(),
            banned_words=recipe.banned_words or (),
            is_verbatim=recipe.history_answers == "verbatim",
            plain_share=recipe.plain_share,
            seed=recipe.seed,
            augmentation=recipe.augmentation,
            has_agent="agent" in recipe.formats,
        )

    def is_plain(self, cluster: str) -> bool:
        """Whether the rows of a cluster are written without thinking although the recipe thinks."""
        return self.with_thinking and is_plain(self.seed, self.plain_share, cluster)


class Material(NamedTuple):
    """What one row is made of.

    `messages` ends with the user's turn; those of a historical chat row are its own. `old_answer`
    is the answer of such a row, byte for byte. `is_plain` rows of a recipe with thinking have none;
    `is_augmented` rows stand under a changed list, which is that of `expert_names`. `agent_system`
    and `experts` are what the agent form is made of; a prompt that is not ours has no such form.
    `plan_text` is the plan's JSON where several rows have it, and so may `messages` be: a fragment
    of JSON that stands for all of them.
    """

    query_id: str
    channel: SourceKind
    messages: Sequence[Message | orjson.Fragment]
    expert_names: tuple[str, ...]
    list_reference: str
    dialect: str
    plan: Mapping[str, Any]
    trace: str | None = None
    old_answer: str | None = None
    is_plain: bool = False
    is_augmented: bool = False
    experts: tuple[Expert, ...] = ()
    agent_system: str | None = None
    plan_text: str | None = None

    def thinks(self, form: RowForm) -> bool:
        """Whether the row is written with thinking."""
        return form.with_thinking and not self.is_plain


def sft_row(material: Material, form: RowForm) -> Row:
    """One row of `sft.jsonl`."""
    answer = {"role": "assistant", "content": answer_text(material, form)}
    return {"messages": [*material.messages, answer], "channel": material.channel}


def grpo_row(material: Material, form: RowForm) -> Row:
    """One row of `grpo.jsonl`."""
    return {
        "messages": list(material.messages),
        "solution": plan_text(material),
        "plan_experts": _names_text(material.expert_names),
        "plan_meta": _meta_text(
            form,
            material.dialect,
            material.list_reference,
            with_thinking=material.thinks(form),
            is_augmented=material.is_augmented,
        ),
        "plan_id": material.query_id,
        "chat_template_kwargs": {"enable_thinking": material.thinks(form)},
    }


def dpo_row(material: Material, rejected: Material, form: RowForm) -> Row:
    """One row of `dpo.jsonl`: the accepted plan against a model's, to the same messages."""
    return sft_row(material, form) | {"rejected_response": answer_text(rejected, form)}


def kto_row(material: Material, form: RowForm, *, label: bool) -> Row:
    """One row of `kto.jsonl`: a model's plan, and whether it is as good as the accepted one."""
    return sft_row(material, form) | {"label": label}


def agent_row(material: Material, form: RowForm) -> Row:
    """One row of `agent.jsonl`.

    Raises:
        ValueError: the row's prompt is not ours, so there is no agent form of it.
    """
    if material.agent_system is None:
        raise ValueError("a prompt that is not ours has no agent form")
    said = _without_call_tags(str(material.plan["rewritten_query"])) + "\n"
    if material.thinks(form):
        said = render_thinking(_without_call_tags(material.trace or "")) + said
    return {
        "messages": [
            {"role": "system", "content": material.agent_system},
            *material.messages[1:],
            {"role": "assistant", "content": said},
            *map(_call, material.plan["steps"]),
        ],
        "tools": _tools_text(material.experts),
        "channel": material.channel,
    }


def answer_text(material: Material, form: RowForm) -> str:
    """The assistant's whole text, in the bundle's form; verbatim where the recipe wants it so."""
    if form.is_verbatim and material.old_answer is not None:
        return material.old_answer
    trace = (material.trace or "") if material.thinks(form) else None
    return answer_around(plan_text(material), trace)


def plan_text(material: Material) -> str:
    """The plan's JSON in the row's dialect."""
    return material.plan_text or to_text(material.plan, material.dialect)


def plan_meta(
    form: RowForm,
    dialect: str,
    list_reference: str,
    *,
    with_thinking: bool,
    is_augmented: bool = False,
) -> Row:
    """What the rewards of a row are told beside its own list."""
    return {
        "dialect": dialect,
        "list_version": list_reference,
        "with_thinking": with_thinking,
        "think_min": form.think.min,
        "think_max": form.think.max,
        "think_eps": form.think.eps,
        "think_curve": form.think.curve,
        "think_unit": form.think.unit,
        "banned_words": form.banned_words,
        **({"augmented": True} if is_augmented else {}),
    }


def to_line(row: Row) -> bytes:
    """One JSON object on one line: UTF-8, no BOM."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def line_head(system: str) -> bytes:
    """How the line of any row with this system message begins; `messages` come first in all."""
    return orjson.dumps({"messages": [{"role": "system", "content": system}]})[: -len("]}")]


@lru_cache(256)
def _meta_text(
    form: RowForm, dialect: str, list_reference: str, *, with_thinking: bool, is_augmented: bool
) -> str:
    meta = plan_meta(
        form, dialect, list_reference, with_thinking=with_thinking, is_augmented=is_augmented
    )
    return orjson.dumps(meta).decode()


@lru_cache(256)
def _names_text(names: tuple[str, ...]) -> str:
    return orjson.dumps(names).decode()


def _call(step: Mapping[str, Any]) -> Message:
    """A step as ms-swift's `tool_call`: JSON text with the function's name and its arguments."""
    questions = [_without_call_tags(each) for each in step["sub_questions"]]
    arguments = {"sub_questions": questions, "order": step["order"]}
    call = {"name": step["expert"], "arguments": arguments}
    return {"role": "tool_call", "content": orjson.dumps(call).decode()}


@lru_cache(64)
def _tools_text(experts: tuple[Expert, ...]) -> str:
    """The experts as functions, in the order of their list."""
    parameters = {
        "type": "object",
        "properties": {
            "sub_questions": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "order": {"type": "integer", "minimum": 1},
        },
        "required": ["sub_questions", "order"],
    }
    tools = [
        {
            "type": "function",
            "function": {
                "name": each.name,
                "description": each.description,
                "parameters": parameters,
            },
        }
        for each in experts
    ]
    return orjson.dumps(tools).decode()


def _without_call_tags(text: str) -> str:
    """A text whose tags of calls, which a template would take for its own, are in `‹` and `›`."""
    return _CALL_TAG.sub(r"‹\1›", text) if "<" in text else text
