"""What the fake endpoint answers when a trace is written anew, or decoded blind."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any


def is_decode(system: str) -> bool:
    """Whether a plan is to be read from a trace alone."""
    return "思考过程。请只根据它" in system or "the thinking before a plan" in system


def told_trace(
    messages: Sequence[Mapping[str, str]], content: str, *, leaking: float, reversed_: float
) -> str:
    """A trace that leads to the plan in the last message, or the answer before it, a stage each."""
    text = messages[-1]["content"]
    if "<trace>" in text:
        text = "\n" + messages[-2]["content"]
    plan = json.loads(text[text.index("\n{") + 1 :])
    stages: dict[int, list[str]] = {}
    for place, step in enumerate(plan.get("plan", plan.get("steps")), start=1):
        order = step.get("顺序", step.get("order", place))
        stages.setdefault(order, []).append(step.get("专家", step.get("expert")))
    told = ["、".join(names) for _, names in sorted(stages.items())]
    share = int(content[24:32], 16) / 0xFFFFFFFF
    opening = "先看用户要什么，再看谁的职责对得上。"
    if share < leaking:
        opening = "根据给定的规划来写。"
    elif share < leaking + reversed_:
        told = told[::-1] if len(told) > 1 else ["没有提到的专家"]
    lines = [f"请{names}处理。" for names in told] or ["问候而已。"]
    return "<think>\n按照提示写。\n</think>\n<trace>\n" + opening + "".join(lines) + "\n</trace>"


def decoded(messages: Sequence[Mapping[str, str]], time: str, *, dissent: float) -> dict[str, Any]:
    """The plan that a trace of `told_trace` leads to, or, each time by chance, another one."""
    stages = re.findall(r"请(.+?)处理。", messages[-1]["content"])
    if int(time[:8], 16) / 0xFFFFFFFF < dissent:
        stages = [*stages, stages[0]] if len(stages) != 1 else []
    return {
        "rewritten_query": "盲解",
        "steps": [
            {"expert": name, "sub_questions": ["问题"], "order": order}
            for order, names in enumerate(stages, start=1)
            for name in names.split("、")
        ],
    }
