"""How fast an export can ask whether a row is a question of a benchmark.

Floor: the normalised form looked up in a set, which finds no near duplicate.
"""

import random
import time

from labeling.duplicates import BenchmarkGuard, GuardedQuestion
from schemas.clusters import normalised
from tests.bench.figures import Figure, report

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


def main() -> None:
    """Measure and report."""
    dice = random.Random(7)
    questions = [
        GuardedQuestion(str(number), "bench@1", text, text)
        for number, text in enumerate({a_question(dice) for _ in range(QUESTIONS)})
    ]
    texts = [a_question(dice) for _ in range(CHECKS)]
    guard = BenchmarkGuard(questions)
    known = {normalised(question.text) for question in questions}
    began = time.perf_counter()
    for text in texts:
        _ = normalised(text) in known
    floor = CHECKS / (time.perf_counter() - began)
    began = time.perf_counter()
    found = sum(guard.find_leak(text) is not None for text in texts)
    rate = CHECKS / (time.perf_counter() - began)
    what = f"checks against {len(questions):,} questions ({found:,} found)"
    floor_is = "exact look-up only"
    report("leak_guard", [Figure(what, rate, "checks/s", "≥ 30,000", floor, floor_is)])


if __name__ == "__main__":
    main()
