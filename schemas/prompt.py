"""From a pinned query to the messages that a planner is asked with; pure rendering.

A template is text with placeholders in braces. `{experts}`, `{tools}`, `{services}`, `{window}`,
`{example}`, `{parallel_example}` and `{empty_example}` are filled in; `{#name}…{/name}` stands only
where `name` applies, `{^name}…{/name}` only where it does not, with the names `thinking`, `tools`,
`services` and `history`. Any other brace is plain text, so JSON may stand in a template as it is.
Examples that are written into a template (`schemas.few_shot`) are shown to the models that are
asked for suggestions and to nobody else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from schemas.dialects import Dialect, get_dialect
from schemas.experts import Expert, ExpertList
from schemas.few_shot import MARK, read_examples, render_examples, without_examples
from schemas.plan import Plan, Step
from schemas.sentences import Language

REQUIRED = ("experts", "example")
_SECTION = re.compile(
    r"\{([#^])(thinking|tools|services|history)\}(\n?)(.*?)\{/\2\}(\n?)", re.DOTALL
)
_VALUE = re.compile(r"\{(experts|tools|services|window|example|parallel_example|empty_example)\}")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_EXAMPLE_WORDS: Mapping[str, tuple[str, str, str]] = {
    "zh": ("补全后的问题", "专家", "子问题"),
    "en": ("the query, complete", "expert", "sub-question"),
}


@cache
def built_in_template(language: Language) -> str:
    """The template that a new project starts with."""
    path = Path(__file__).parent / "prompts" / f"planner.{language}.txt"
    return path.read_text("utf-8")


@cache
def agent_template(template: str) -> str:
    """The template of the agent form, in the language of another template."""
    path = Path(__file__).parent / "prompts" / f"agent.{prompt_language(template)}.txt"
    return path.read_text("utf-8")


def prompt_language(template: str) -> Language:
    """The language that a template is written in."""
    return "zh" if _CHINESE.search(template) else "en"


def missing_placeholders(template: str) -> list[str]:
    """The placeholders without which a planner could not know its experts or its form."""
    return [name for name in REQUIRED if f"{{{name}}}" not in template]


def render_messages(
    template: str,
    expert_list: ExpertList,
    history: Sequence[Mapping[str, str]],
    query: str,
    *,
    window: int,
    dialect: Dialect | str,
    with_thinking: bool,
    with_examples: bool = False,
) -> list[dict[str, str]]:
    """System message, the last `window` messages of the dialogue, and the query, for a chat model.

    The dialogue begins with a user's message, and neighbours of one role are joined: chat templates
    pair user and assistant, and would shift or drop what does not alternate.
    """
    form = get_dialect(dialect) if isinstance(dialect, str) else dialect
    system = render_system(
        template,
        expert_list,
        window,
        form,
        with_thinking=with_thinking,
        asked=query if with_examples else None,
    )
    return to_messages(system, history, query, window)


def to_messages(
    system: str, history: Sequence[Mapping[str, str]], query: str, window: int
) -> list[dict[str, str]]:
    """`render_messages` around a system message that is rendered already, as an export has it."""
    turns = [turn for turn in history if turn["role"] in ("user", "assistant")]
    turns = turns[-window:] if window else []
    while turns and turns[0]["role"] != "user":
        turns = turns[1:]
    messages = [{"role": "system", "content": system}]
    for turn in [*turns, {"role": "user", "content": query}]:
        if messages[-1]["role"] == turn["role"]:
            content = f"{messages[-1]['content']}\n{turn['content']}"
            messages[-1] = {"role": turn["role"], "content": content}
        else:
            messages.append({"role": turn["role"], "content": turn["content"]})
    return messages


def render_system(
    template: str,
    expert_list: ExpertList,
    window: int,
    dialect: Dialect,
    *,
    with_thinking: bool,
    asked: str | None = None,
) -> str:
    """The system message; nothing that is filled in is read as a placeholder again.

    Examples are left out, but for whoever tells what is `asked`.
    """
    language = prompt_language(template)
    applies = {
        "thinking": with_thinking,
        "tools": bool(expert_list.tools),
        "services": bool(expert_list.services),
        "history": window > 0,
    }
    values = {
        "experts": "\n".join(_expert_line(each, language) for each in expert_list.experts),
        "tools": "\n".join(_thing_line(each, language) for each in expert_list.tools),
        "services": "\n".join(_thing_line(each, language) for each in expert_list.services),
        "window": str(window),
        **_examples(dialect),
    }

    shown = ""
    if asked is not None:
        examples = read_examples(template)
        shown = render_examples(examples, asked, expert_list.names, dialect.reference, language)

    def keep(found: re.Match[str]) -> str:
        sign, name, first_break, inside, last_break = found.groups()
        if applies[name] != (sign == "#"):
            return "" if first_break else last_break
        return inside if first_break else inside + last_break

    kept = _SECTION.sub(keep, without_examples(template))
    filled = _VALUE.sub(lambda found: values[found[1]], kept)
    return filled.replace(MARK, shown).strip()


def _expert_line(expert: Expert, language: Language) -> str:
    also, needs = ("又称", "需要的输入") if language == "zh" else ("also called", "inputs it needs")
    notes = (
        [f"{also}{_colon(language)}{_joined(expert.aliases, language)}"] if expert.aliases else []
    )
    if expert.inputs:
        notes.append(f"{needs}{_colon(language)}{_joined(expert.inputs, language)}")
    return _line(expert.name, expert.description, notes, language)


def _thing_line(thing: Mapping[str, JsonValue], language: Language) -> str:
    """A tool or service: its name and description, and whatever else it says of itself."""
    rest = {key: value for key, value in thing.items() if key not in ("name", "description")}
    notes = [
        f"{key}{_colon(language)}{value if isinstance(value, str) else _json(value)}"
        for key, value in rest.items()
    ]
    return _line(str(thing.get("name", "")), str(thing.get("description", "")), notes, language)


def _line(name: str, description: str, notes: Sequence[str], language: Language) -> str:
    text = f"- {name}{_colon(language)}{description}" if description else f"- {name}"
    if not notes:
        return text
    if language == "zh":
        return f"{text}（{'；'.join(notes)}）"
    return f"{text} ({'; '.join(notes)})"


def _joined(words: Sequence[str], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(words)


def _colon(language: Language) -> str:
    return "：" if language == "zh" else ": "


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _examples(dialect: Dialect) -> dict[str, str]:
    query, expert, question = _EXAMPLE_WORDS.get(dialect.name, _EXAMPLE_WORDS["en"])

    def plan(*orders: int) -> str:
        steps = tuple(
            Step(expert=f"{expert} {number}", sub_questions=(question,), order=order)
            for number, order in enumerate(orders, start=1)
        )
        return dialect.to_text(Plan(rewritten_query=query, steps=steps))

    return {
        "example": plan(1, 2),
        "parallel_example": plan(1, 1),
        "empty_example": plan(),
    }
