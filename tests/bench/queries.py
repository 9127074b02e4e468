"""Queries in Chinese, in English and in both, and near-duplicates of them, for benches.

Every query has a thing of its own that it asks about, so that two of them are alike by their mould
only, as real queries are; what is planted differs from its original in form, in a word of
politeness, or in a few characters.
"""

import random
from typing import Literal

Kind = Literal["zh", "en", "mixed"]
KINDS: tuple[Kind, ...] = ("zh", "en", "mixed")
_CHARACTERS = (
    "安白宝碧冰彩草晨橙春翠黛冬朵枫风芙谷桂海寒禾荷虹湖花华吉江锦菊橘君兰蓝乐梨丽荔莲林灵柳龙露绿梅"
    "蜜棉明墨牡木南暖鹏皮琴青清秋泉瑞润若森沙山杉珊诗石书霜水松苏棠桃天甜庭彤晚微薇梧溪霞夏仙香小晓"
    "心星杏秀雪雅烟艳燕阳瑶叶依银樱莹映游羽雨玉月云芸泽芝知竹紫"
)
_SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "jo",
    "ka",
    "li",
    "mo",
    "na",
    "pe",
    "qui",
    "ra",
    "so",
    "ti",
    "vu",
    "wa",
    "xe",
    "yo",
    "zi",
    "bra",
    "cle",
    "dri",
    "sto",
)
_ZH = (
    ("昨天", "上周", "本月", "上个月", "最近七天", "双十一期间", "去年同期", "今年以来", "春节前"),
    ("杭州仓", "直播间", "旗舰店", "小程序", "线下门店", "海外站", "拼团频道", "会员日", "搜索页"),
    ("流量", "成交额", "退款率", "复购率", "客单价", "好评率", "加购数", "转化率", "库存", "访客"),
    ("怎么掉了这么多", "为什么突然上涨", "和同行比怎样", "有没有异常", "拆开看看原因", "画成曲线"),
    ("再推荐几个活动", "顺便诊断商品标题", "并给出人群策略", "然后报名活动", "写一份总结"),
)
_EN = (
    ("yesterday", "last week", "this month", "over the last seven days", "since January"),
    ("in the flagship store", "on the live stream", "at the overseas site", "on member day"),
    ("traffic", "revenue", "refund rate", "repurchase rate", "basket size", "conversion", "stock"),
    ("falling", "suddenly rising", "unlike its peers", "worth a look", "below the plan"),
    ("suggest campaigns", "write a summary", "diagnose the title", "enrol it", "draw a curve"),
)
_METRICS = ("GMV", "ROI", "SKU", "UV", "CTR", "NPS")


def a_query(dice: random.Random, kind: Kind) -> str:
    """A query about a thing of its own; its parts stand in any order, and some are left out."""
    if kind == "en":
        when, where, what, how, then = (dice.choice(each) for each in _EN)
        thing = f"{_word(dice)} {_word(dice)}"
        parts = [f"is {what} of the {thing} {how}", when, where, then]
        kept = [parts[0], *dice.sample(parts[1:], dice.randint(1, 2))]
        dice.shuffle(kept)
        return ", ".join(kept).capitalize() + "?"
    when, where, what, how, then = (dice.choice(each) for each in _ZH)
    thing = "".join(dice.choices(_CHARACTERS, k=dice.randint(5, 8)))
    if kind == "mixed":
        thing = f"{thing[:4]} {_word(dice).title()}{dice.randrange(100)} "
        what = dice.choice(_METRICS)
    parts = [f"{thing}的{what}", when + where, how, then]
    kept = [parts[0], *dice.sample(parts[1:], dice.randint(1, 3))]
    dice.shuffle(kept)
    return "，".join(kept)


def a_near_duplicate(dice: random.Random, text: str, kind: Kind) -> str:
    """The same question in other words, by so little that everybody would call it the same."""
    match dice.randrange(5):
        case 0:
            return text.replace("，", " ").replace(",", " —").upper() + "！"
        case 1:
            return f"Please tell me: {text}" if kind == "en" else f"请帮我看看，{text}"
        case 2:
            return text.rstrip("?") + (" please, thanks" if kind == "en" else "呢，谢谢")
        case 3:
            place = dice.randrange(len(text))
            return text[:place] + text[place + 1 :]
        case _:
            first, second = sorted(dice.sample(range(len(text)), 2))
            return text[:first] + text[first + 1 : second] + text[second + 1 :]


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(_SYLLABLES, k=3))
