"""Whether a trace betrays that its writer was told the plan: the hint-leak test.

A re-derived trace is taught as if the model had found the plan by itself; one that speaks of a
given plan, or quotes its JSON, would teach a planner to wait for what it will never be given.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from schemas.scoring.text import plain

# Chinese stands here without spaces and marks, as `_squeezed` leaves a text; in both scripts. An
# expert may well "give a result" in an honest trace: what counts is a plan that was there before.
_PLAN = "(?:规划结果|規劃結果|规划|規劃|计划|計劃|方案|答案|步骤|步驟|专家(?:序列|顺序|名单|列表))"
CHINESE: tuple[str, ...] = (
    "(?:参考|參考|标准|標準|正确|正確|人工|验收|驗收)(?:的)?(?:答案|规划|規劃|计划|計劃|方案|输出)",
    f"(?:给定|給定|预设|預設|预定|既定|事先|已知|题目给出|所给|题中)(?:了|好)?(?:的)?{_PLAN}",
    "(?:提供|给出|給出|已有|现有|現有|现成)的(?:规划|規劃|答案|专家序列|专家顺序)",
    "(?:提供|给出|給出)的(?:方案|计划)(?:里|中|已|是|要求|表明|显示)",
    "(?:根据|按照|依照|依据|参照|对照|结合|遵循|照着|根據|依據|參照|對照)"
    "(?:上述|以上|上面|这个|该|此|题目|用户)?(?:给定|提供|给出)?(?:的)?"
    "(?:提示|答案|规划结果|規劃結果|规划|規劃|既有方案|暗示|线索|線索)",
    "(?:提示|线索|暗示)(?:里|中|内|已经|已|说|要求|表明|显示|给了|给出)",
    "答案(?:里|中|已经|要求|表明|显示|给了|给出)",
    "(?:上述|上面|以上|这份|该)(?:的)?(?:规划|規劃|规划结果|答案)(?:已|是|为|表明|显示|要求|里|中|给出|指定|選|选)",
    "(?:反推|倒推|逆推|倒着推|反向推导|补写思考|补写思路|还原思考)",
    "(?:我|已经?|事先|提前|被)(?:被)?(?:告知|知道|获知|得知)(?:了)?(?:最终|正确|标准|参考)?(?:的)?"
    "(?:规划|答案|方案)",
    "(?:假装|装作|不能提到|不要提到|不得提及)",
)
_GIVEN_EN = (
    "(?:given|provided|supplied|reference|expected|accepted|correct|gold(?:en)?|target|known)"
)
_PLAN_EN = (
    "(?:plan|answer|solution|steps|expert (?:list|order|sequence)|sequence of experts|routing)"
)
ENGLISH: tuple[str, ...] = (
    rf"\b(?:the|this|that|a|an|my|our|your) {_GIVEN_EN}(?:,? {_GIVEN_EN})* {_PLAN_EN}\b",
    rf"\bgiven (?:the|this|that) {_PLAN_EN}\b",
    rf"\b(?:according to|based on|following|matching|as per|per|consistent with) (?:the|this|that)"
    rf"(?: {_GIVEN_EN})* (?:hint|reference|plan|solution|expected answer)\b",
    r"\bas (?:provided|given|hinted)"
    r"(?: (?:above|below|in the (?:plan|hint|reference|answer))\b|[.,;:!]|$)",
    rf"\b{_PLAN_EN} (?:that )?(?:i|we) (?:was|am|were|are) (?:given|provided|told|shown)\b",
    r"\b(?:plan|answer|solution) (?:was|is|has been) (?:already )?(?:given|provided|known)\b",
    r"\b(?:the|this|that) (?:plan|solution) (?:above|below|says|states|shows|indicates|tells)\b",
    r"\b(?:the|this|that|a) hints?\b",
    r"\b(?:reference|gold|model) (?:plan|answer|solution)\b|\bground[- ]?truth\b",
    r"\b(?:i|we) (?:was|were|am|are|have been|'ve been) (?:told|given|shown|provided)\b",
    r"\b(?:reverse[- ]engineer|work(?:ing|s)? backwards?|pretend|retrofit|justify the plan)",
)
JSON_KEYS = (
    "rewritten_query",
    "sub_questions",
    "steps",
    "expert",
    "order",
    "plan",
    "补全后的问题",
    "处理问题",
    "专家",
    "顺序",
)
_QUOTED_KEY = re.compile(
    r"""["'“”‘’`「『]\s*(?:{})\s*["'“”‘’`」』]\s*[:=]""".format("|".join(JSON_KEYS))
)
_BARE_KEY = re.compile(r"\b(?:rewritten_query|sub_questions)\b")
_TAG = re.compile(r"</?\s*(?:answer|think|trace)\s*>")
_MARKS = re.compile(r"[\W_]+")
_CHINESE = re.compile("|".join(f"(?:{each})" for each in CHINESE))
_ENGLISH = re.compile("|".join(f"(?:{each})" for each in ENGLISH))


class HintLeak(NamedTuple):
    """A passage that betrays the hint; `kind` is `phrase` or `json`."""

    kind: str
    passage: str


def find_hint_leak(trace: str, spoken: Iterable[str] = ()) -> HintLeak | None:
    """The first passage that betrays the hint, or none.

    What the user said themselves betrays nothing: who asks for a reference answer may be quoted.

    Args:
        trace: A trace as a model wrote it; width, case, invisible characters and, in Chinese,
            spaces and marks inside a phrase do not hide it.
        spoken: Query and dialogue, as they were said.

    >>> find_hint_leak("根据给定的规划，先请数据分析专家。").passage
    '给定的规划'
    >>> find_hint_leak("流量下降要先诊断原因，再给策略。") is None
    True
    """
    text = plain(trace)
    found = _QUOTED_KEY.search(text) or _BARE_KEY.search(text) or _TAG.search(text)
    if found:
        return HintLeak("json", found[0])
    said = [plain(each) for each in spoken]
    for pattern, form in ((_CHINESE, _squeezed), (_ENGLISH, _single_spaced)):
        heard = [form(each) for each in said]
        for match in pattern.finditer(form(text)):
            if not any(match[0] in each for each in heard):
                return HintLeak("phrase", match[0])
    return None


def _squeezed(text: str) -> str:
    return _MARKS.sub("", text)


def _single_spaced(text: str) -> str:
    return " ".join(text.replace("’", "'").split())
