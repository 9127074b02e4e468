"""How many completions a second the seven rewards score together, on one core.

Beside them the seven functions of ms-swift 4.6 that come nearest and run in this environment, on
the same plans in the same batches. `accuracy` is not among them, since it needs `math_verify`,
which ms-swift does not bring: `math` compares answers in its place, and `cosine` is given the
verdict of `toolbench`. `react_format` and `toolbench` get the plans as they read them.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from exports.scoring_files import scoring_files
from schemas.project import REWARDS
from schemas.scoring.context import ScoringContext, context_from_row
from schemas.scoring.rewards import score
from schemas.scoring.text import lcs_length
from schemas.scoring.wire import to_text
from tests.bench.figures import Figure, report

COUNT = 4_000
BATCH = 64
EXPERTS = ("数据分析专家", "诊断专家", "策略推荐专家", "知识问答专家", "活动报名专家")
WORDS = "查看上周本月门店流量转化率客单价退款原因诊断推荐活动报名优惠券新客老客复购评分外卖堂食套餐"
SYSTEM = "你是一个多专家协作系统的规划器。\n" + "\n".join(f"- {e}：负责{e[:-2]}" for e in EXPERTS)
NEAREST = {
    "StrictFormatReward": "format",
    "JSONValidReward": "react_format",
    "ThinkLengthReward": "soft_overlong",
    "ThinkQualityReward": "repetition",
    "CorrectnessReward": "math",
    "ExpertValidationReward": "toolbench",
    "ProcessingQualityReward": "cosine",
}
ARGUMENTS = SimpleNamespace(
    cosine_min_len_value_wrong=-0.5,
    cosine_max_len_value_wrong=0.0,
    cosine_min_len_value_correct=1.0,
    cosine_max_len_value_correct=0.5,
    cosine_max_len=1_000,
    repetition_n_grams=3,
    repetition_max_penalty=-1.0,
    soft_max_length=512,
    soft_cache_length=128,
)
Row = dict[str, Any]
Batch = tuple[list[Row], list[str]]
Scorer = Callable[[Batch], object]


def main() -> None:
    """Score plans of different people against each other: no text is the same twice."""
    source = random.Random(7)
    cases = [_case(source) for _ in range(COUNT)]
    contexts = [(text, context_from_row(row)) for row, text in cases]
    began = time.perf_counter()
    for text, context in contexts:
        score(text, context)
    seven = COUNT / (time.perf_counter() - began)
    began = time.perf_counter()
    for text, _ in contexts:
        lcs_length(text[:200], text[100:300])
    floor = COUNT / (time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _plugin(Path(folder)), _theirs()
        batches = [_batch(cases[place : place + BATCH]) for place in range(0, COUNT, BATCH)]
        figures = _compared(ours, theirs, batches, contexts)
    whole = Figure(
        what="all seven rewards, thinking of 200 characters",
        value=seven,
        unit="completions/s",
        target="≥ 2,000",
        floor=floor,
        floor_is="one LCS of 200 characters",
    )
    report("rewards", [whole, *figures])


def _compared(
    ours: Mapping[str, Scorer],
    theirs: Mapping[str, Scorer],
    batches: list[Batch],
    contexts: list[tuple[str, ScoringContext]],
) -> list[Figure]:
    """All seven as ms-swift calls them, then each alone beside its nearest."""
    together = _per_second(list(ours.values()), batches)
    figures = [
        Figure(
            what=f"all seven through the bundle's plugin, as ms-swift calls it, batches of {BATCH}",
            value=together,
            unit="completions/s",
            target="≥ 2,000",
            floor=_per_second(list(theirs.values()), batches),
            floor_is="ms-swift's own seven nearest, in the same run",
        )
    ]
    module = import_module("schemas.scoring.rewards")
    for name, nearest in NEAREST.items():
        alone = module.REWARD_FUNCTIONS[name]
        _forget()
        began = time.perf_counter()
        for text, context in contexts:
            alone(text, context)
        figures.append(
            Figure(
                what=f"{name} alone, reading the answer included",
                value=len(contexts) / (time.perf_counter() - began),
                unit="completions/s",
                target="",
                floor=_per_second([theirs[nearest]], batches),
                floor_is=f"ms-swift's `{nearest}`",
            )
        )
    return figures


def _per_second(scorers: list[Scorer], batches: list[Batch]) -> float:
    for each in scorers:  # what is imported at the first call is no scoring
        each(batches[0])
    began = time.perf_counter()
    for batch in batches:
        for each in scorers:
            each(batch)
    return COUNT / (time.perf_counter() - began)


def _forget() -> None:
    """Empty what the scoring modules keep, so that no reward is paid for by the one before."""
    for name, module in list(sys.modules.items()):
        if name.startswith("schemas.scoring."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


def _plugin(folder: Path) -> dict[str, Scorer]:
    """Our seven as a bundle brings them, registered by ms-swift itself."""
    for name, content in scoring_files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    import_module("swift.utils").import_external_file(str(folder / "reward_plugin.py"))
    registered = import_module("swift.rewards").orms
    return {name: _ours(registered[name]()) for name in REWARDS}


def _ours(reward: Any) -> Scorer:
    def call(batch: Batch) -> object:
        rows, texts = batch
        return reward(texts, **{name: [row[name] for row in rows] for name in rows[0]})

    return call


def _theirs() -> dict[str, Scorer]:
    orms = import_module("swift.rewards").orms
    react = orms["toolbench"]()
    cosine = orms["cosine"](ARGUMENTS, accuracy_orm=_ReactVerdict(react))

    def plain(name: str) -> Scorer:
        reward = orms[name](ARGUMENTS)
        return lambda batch: reward(completions=batch[1], response_token_ids=_tokens(batch))

    def answers(batch: Batch) -> object:
        requests = [SimpleNamespace(messages=[{"content": text}]) for text in batch[1]]
        return math(requests, [row["solution"] for row in batch[0]])

    math, form = orms["math"](ARGUMENTS), orms["react_format"](ARGUMENTS)
    return {
        "format": plain("format"),
        "react_format": lambda batch: form(completions=[row["react"] for row in batch[0]]),
        "soft_overlong": plain("soft_overlong"),
        "repetition": plain("repetition"),
        "math": answers,
        "toolbench": lambda batch: _react(react, batch),
        "cosine": lambda batch: cosine(
            completions=[row["react"] for row in batch[0]],
            solution=[row["react_solution"] for row in batch[0]],
            response_token_ids=_tokens(batch),
        ),
    }


class _ReactVerdict:
    """What `cosine` asks whether an answer is right."""

    def __init__(self, reward: Any) -> None:
        self.reward = reward

    def __call__(self, completions: list[str], solution: list[str], **_: object) -> object:
        return self.reward(completions, solution)


def _react(reward: Any, batch: Batch) -> object:
    rows = batch[0]
    return reward([row["react"] for row in rows], [row["react_solution"] for row in rows])


def _tokens(batch: Batch) -> list[range]:
    return [range(len(text) // 2) for text in batch[1]]


def _batch(cases: list[tuple[Row, str]]) -> Batch:
    return [row for row, _ in cases], [text for _, text in cases]


def _case(source: random.Random) -> tuple[Row, str]:
    plan, gold, thinking = _plan(source), _plan(source), _text(source, 200)
    text = f"<think>\n{thinking}\n</think>\n\n<answer>\n{to_text(plan, 'zh@1')}\n</answer>"
    meta = {"dialect": "zh@1", "with_thinking": True, "think_min": 60, "think_max": 180}
    row = {
        "messages": [{"role": "system", "content": SYSTEM * 10}],
        "solution": to_text(gold, "zh@1"),
        "plan_experts": json.dumps(EXPERTS),
        "plan_meta": json.dumps(meta),
        "plan_id": str(source.random()),
        "react": _to_react(plan, thinking),
        "react_solution": _to_react(gold, ""),
    }
    return row, text


def _to_react(plan: dict[str, Any], thinking: str) -> str:
    """The first step as a call in the form that ReAct has."""
    step = plan["steps"][0]
    asked = dict(enumerate(step["sub_questions"]))
    return f"<think>{thinking}</think>\nAction: {step['expert']}\nAction Input: {json.dumps(asked)}"


def _plan(source: random.Random) -> dict[str, Any]:
    steps = [
        {
            "expert": expert,
            "sub_questions": [_text(source, 16) for _ in range(source.choice((1, 1, 2, 3)))],
            "order": order,
        }
        for order, expert in enumerate(source.sample(EXPERTS, source.choice((1, 2, 3))), start=1)
    ]
    return {"rewritten_query": _text(source, 40), "steps": steps}


def _text(source: random.Random, length: int) -> str:
    return "".join(source.choice(WORDS) for _ in range(length))


if __name__ == "__main__":
    main()
