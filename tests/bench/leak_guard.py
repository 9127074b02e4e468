"""How fast an export can ask whether a row is a question of a benchmark, and how surely it is told.

First against questions of one mould, which share all of their words and are the hardest to tell
apart. Then 100,000 queries in Chinese, English and both, of which one in twenty is a near-duplicate
of one of 3,000 questions: in other form, with a word of politeness, without one or two characters.
Last, how many of 95,000 training questions are near-duplicates of 5,000 that validate.

Floor: the normalised form looked up in a set, which finds no near-duplicate.
"""

import random
import time
from collections.abc import Iterable
from typing import NamedTuple

from schemas.clusters import normalised
from schemas.leaks import NEAR, BenchmarkGuard, GuardedQuestion, LikenessIndex
from tests.bench.figures import Figure, report
from tests.bench.queries import KINDS, Kind, a_near_duplicate, a_query

LOOK_UP = "exact look-up only"
QUESTIONS = 3_000
CHECKS = 100_000
WHAT = (
    "流量",
    "成交额",
    "退款率",
    "复购率",
    "客单价",
    "好评率",
    "加购数",
    "访客数",
    "转化率",
    "库存",
)
WHEN = ("昨天", "上周", "本月", "上个月", "最近七天", "双十一期间", "去年同期", "今年以来")
DONE = (
    "怎么掉了这么多",
    "为什么突然上涨",
    "和同行相比如何",
    "有没有异常",
    "帮我画成曲线",
    "拆开看原因",
)
THEN = (
    "再推荐几个活动",
    "顺便诊断商品标题",
    "并给出人群运营策略",
    "然后报名合适的活动",
    "写一份总结",
)
THING = (
    "连衣裙",
    "蓝牙耳机",
    "保温杯",
    "儿童书桌",
    "防晒霜",
    "跑步鞋",
    "电饭煲",
    "行李箱",
    "猫粮",
    "台灯",
)
PLACE = (
    "杭州仓",
    "直播间",
    "天猫旗舰店",
    "小程序",
    "线下门店",
    "海外站",
    "拼团频道",
    "会员日",
    "搜索页",
)
PARTS = (WHAT, WHEN, DONE, THEN, THING, PLACE)


def a_question(dice: random.Random) -> str:
    """A sentence of some of the parts in any order: all share their words, few are alike."""
    parts = dice.sample(PARTS, dice.randint(3, 6))
    return "，".join(dice.choice(part) for part in parts) + str(dice.randrange(1000))


class Row(NamedTuple):
    """A query, its kind, and whether it was planted as a near-duplicate."""

    text: str
    kind: Kind
    is_planted: bool


def main() -> None:
    """Measure and report."""
    report("leak_guard", [_of_one_mould(), *_planted(), _over_the_split()])


def _of_one_mould() -> Figure:
    dice = random.Random(7)
    questions = _guarded({a_question(dice) for _ in range(QUESTIONS)})
    texts = [a_question(dice) for _ in range(CHECKS)]
    guard = BenchmarkGuard(questions)
    floor_s = _looked_up(questions, texts)
    began = time.perf_counter()
    found = sum(guard.find_leak(text) is not None for text in texts)
    rate = CHECKS / (time.perf_counter() - began)
    what = f"checks against {len(questions):,} questions of one mould ({found:,} found)"
    return Figure(what, rate, "checks/s", "≥ 30,000", CHECKS / floor_s, LOOK_UP)


def _planted() -> list[Figure]:
    dice = random.Random(7)
    by_kind = {kind: [a_query(dice, kind) for _ in range(QUESTIONS // 3)] for kind in KINDS}
    questions = _guarded([text for each in by_kind.values() for text in each])
    rows: list[Row] = []
    for number in range(CHECKS):
        kind = KINDS[number % 3]
        if number % 20:
            rows.append(Row(a_query(dice, kind), kind, False))
        else:
            original = dice.choice(by_kind[kind])
            rows.append(Row(a_near_duplicate(dice, original, kind), kind, True))
    floor_s = _looked_up(questions, [row.text for row in rows])
    began = time.perf_counter()
    guard = BenchmarkGuard(questions)
    found = [guard.find_leak(row.text) is not None for row in rows]
    seconds = time.perf_counter() - began
    what = f"{CHECKS:,} queries against {len(questions):,} questions"
    figures = [Figure(what, seconds, "s", "< 30", floor_s, LOOK_UP)]
    for kind in KINDS:
        hits = [hit for row, hit in zip(rows, found, strict=True) if row[1:] == (kind, True)]
        what = f"{kind}: planted near-duplicates found ({sum(hits):,} of {len(hits):,})"
        figures.append(Figure(what, 100 * sum(hits) / len(hits), "%", "≥ 95"))
    others = [hit for row, hit in zip(rows, found, strict=True) if not row.is_planted]
    what = f"others taken for one ({sum(others):,} of {len(others):,})"
    return [*figures, Figure(what, 100 * sum(others) / len(others), "%", "≤ 0.1")]


def _over_the_split() -> Figure:
    dice = random.Random(11)
    validating = [a_query(dice, KINDS[number % 3]) for number in range(CHECKS // 20)]
    training = [a_query(dice, KINDS[number % 3]) for number in range(CHECKS - len(validating))]
    floor_s = _looked_up(_guarded(validating), training)
    began = time.perf_counter()
    index = LikenessIndex(map(normalised, validating), NEAR)
    found = sum(index.find(normalised(text)) is not None for text in training)
    seconds = time.perf_counter() - began
    what = f"{len(training):,} training questions against {len(validating):,} ({found:,} alike)"
    return Figure(what, seconds, "s", "< 30", floor_s, LOOK_UP)


def _guarded(texts: Iterable[str]) -> list[GuardedQuestion]:
    return [
        GuardedQuestion(str(number), "bench@1", text, text) for number, text in enumerate(texts)
    ]


def _looked_up(questions: Iterable[GuardedQuestion], texts: Iterable[str]) -> float:
    """Seconds of looking up exactly."""
    known = {normalised(question.text) for question in questions}
    began = time.perf_counter()
    for text in texts:
        _ = normalised(text) in known
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
