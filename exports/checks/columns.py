"""Checks of a row's columns: none that ms-swift takes for its own, and those of GRPO agree."""

from exports.checks.lines import Check, Held, Judge, Line, alone

RESERVED = frozenset(
    {
        "add_eos",
        "advantages",
        "completions",
        "conversation",
        "conversations",
        "dataset",
        "finish_reason",
        "images",
        "is_truncated",
        "objects",
        "prompt_id",
        "request_id",
        "response_token_ids",
        "rewards",
        "rollout_infos",
        "system",
        "system_prompt",
        "teacher_prompt",
        "trainer_state",
    }
)
"""What ms-swift 4.6 renames, fills in itself, or gives a meaning of its own."""


def _is_reserved(line: Line) -> bool:
    return not RESERVED.isdisjoint(line.row)


def _has_tools(line: Line) -> bool:
    return line.kind != "agent" and "tools" in line.row


def _contradicts_itself(held: Held) -> Judge:
    """What a GRPO row tells its rewards is what its solution, its prompt and the recipe say."""
    think = held.terms.get("think") or {}
    wanted = {f"think_{name}": value for name, value in think.items()}

    def judge(line: Line) -> bool:
        if line.kind != "grpo":
            return False
        meta = line.meta
        if meta is None or line.answers[0].unreadable == "other_dialect":
            return True
        asked = line.row.get("chat_template_kwargs")
        thinks = meta.get("with_thinking")
        if asked != {"enable_thinking": thinks} or line.thinks not in (None, thinks):
            return True
        return any(meta.get(name) != value for name, value in wanted.items())

    return judge


CHECKS: tuple[Check, ...] = (
    Check("row_key_reserved", alone(_is_reserved)),
    Check("row_tools_unwanted", alone(_has_tools)),
    Check("row_meta_differs", _contradicts_itself),
)
