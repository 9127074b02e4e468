"""How many completions a second the seven rewards score together, on one core."""

import random
import time

from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import score
from schemas.scoring.text import lcs_length
from schemas.scoring.wire import to_text
from tests.bench.figures import Figure, report

COUNT = 4_000
EXPERTS = ("数据分析专家", "诊断专家", "策略推荐专家", "知识问答专家", "活动报名专家")
WORDS = "查看上周本月门店流量转化率客单价退款原因诊断推荐活动报名优惠券新客老客复购评分外卖堂食套餐"
SYSTEM = "你是一个多专家协作系统的规划器。\n" + "\n".join(f"- {e}：负责{e[:-2]}" for e in EXPERTS)


def main() -> None:
    """Score plans of different people against each other: no text is the same twice."""
    source = random.Random(7)
    cases = [_case(source) for _ in range(COUNT)]
    begun = time.perf_counter()
    for text, context in cases:
        score(text, context)
    seven = COUNT / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for text, _ in cases:
        lcs_length(text[:200], text[100:300])
    floor = COUNT / (time.perf_counter() - begun)
    report(
        "rewards",
        [
            Figure(
                what="all seven rewards, thinking of 200 characters",
                value=seven,
                unit="completions/s",
                target="≥ 2,000",
                floor=floor,
                floor_is="one LCS of 200 characters",
            )
        ],
    )


def _case(source: random.Random) -> tuple[str, ScoringContext]:
    answer = to_text(_plan(source), "zh@1")
    text = f"<think>\n{_text(source, 200)}\n</think>\n\n<answer>\n{answer}\n</answer>"
    gold = _plan(source)
    return text, ScoringContext(True, "zh@1", frozenset(EXPERTS), gold, system_prompt=SYSTEM * 10)


def _plan(source: random.Random) -> dict[str, object]:
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
