"""Alarms of a training: what its curves and completions say that nobody should sleep through.

Rules are told in `RULES`; each has a least number of steps, a test against chance where a trend is
claimed, and a least size, so that noise alone does not sound it. Curves are columns of the
trainer's own numbers, one value a step, `nan` where it logged none that is finite.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.training_stages import TrainingStage
from schemas.trend import trend

Curve = Sequence[float]
Curves = Mapping[str, Curve]

CERTAIN = 0.01
"""A trend counts where chance alone would go as far less often than this (Mann–Kendall)."""
WINDOW = 200
FEWEST = 40
"""Steps that a claim about a trend needs; at most the last `WINDOW` are looked at."""
EDGE = 20
"""Steps that stand for the beginning and for now."""
LEAST_RISE, LEAST_EXPERTS = 0.03, 0.01
SILENT, CUT_OFF, MORE_CUT_OFF = 0.5, 0.5, 0.1
SHRUNK, GROWN = 0.5, 2.0
SHORTEST = 20
KL_ATONCE, KL_TIMES, KL_LEAST = 5.0, 5.0, 0.5
PHRASE, SPREAD, WIDER = 12, 0.5, 0.4

TOTAL, EXPERTS = "reward", "rewards/ExpertValidationReward/mean"
WANTED_LENGTH = "rewards/ThinkLengthReward/mean"
LENGTH, CLIPPED = "completions/mean_length", "completions/clipped_ratio"
ZERO_STD, KL = "frac_reward_zero_std", "kl"
FINITE = ("loss", "grad_norm", "reward")


class Alarm(BaseModel):
    """One alarm: a name, a sentence with its figures, and a sentence on what to do.

    `code` and `code_do` are of the area `training`; `step` is where it was seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    stage: TrainingStage
    step: int
    values: dict[str, JsonValue] = {}

    @property
    def code(self) -> str:
        """The sentence that says what is wrong."""
        return f"training.alarm_{self.name}"

    @property
    def advice(self) -> str:
        """The sentence that says what to do."""
        return f"training.advice_{self.name}"


Found = dict[str, JsonValue] | None


def reward_without_experts(curves: Curves, weight: float) -> Found:
    """The weighted total goes up while the experts' reward stays flat below its ceiling.

    Up: Mann–Kendall p < 0.01 and a Theil–Sen rise of 0.03 of all weights over the last 40 to 200
    steps. Flat: no such certainty, or a rise below 0.01.
    """
    total, experts = (_known(curves.get(name, ()))[-WINDOW:] for name in (TOTAL, EXPERTS))
    if min(len(total), len(experts)) < FEWEST:
        return None
    up, beside = trend(total), trend(experts)
    if up is None or beside is None or up.p_up >= CERTAIN or up.change < LEAST_RISE * weight:
        return None
    is_flat = beside.p_up >= CERTAIN or beside.change < LEAST_EXPERTS
    if not is_flat or fmean(experts[-EDGE:]) > 0.97:
        return None
    return {
        "rise": round(up.change, 3),
        "experts": round(beside.change, 3),
        "steps": len(total),
        "p": float(f"{up.p_up:.1g}"),
    }


def length_collapse(curves: Curves, _weight: float) -> Found:
    """Completions are half as long as at the beginning, and the way there was no chance.

    What shrinks to the wanted length, so that the reward of the length rises, is no collapse.
    """
    paid = _known(curves.get(WANTED_LENGTH, ()))
    if paid and fmean(paid[-EDGE:]) > fmean(paid[:EDGE]) + LEAST_RISE:
        return None
    return _length(curves, lambda now, before: now <= SHRUNK * before, is_up=False)


def length_explosion(curves: Curves, _weight: float) -> Found:
    """Completions are twice as long as at the beginning, and the way there was no chance."""
    return _length(curves, lambda now, before: now >= GROWN * before, is_up=True)


def _length(curves: Curves, is_far: Callable[[float, float], bool], *, is_up: bool) -> Found:
    lengths = _known(curves.get(LENGTH, ()))
    if len(lengths) < FEWEST:
        return None
    before, now = median(lengths[:EDGE]), median(lengths[-EDGE:])
    found = trend(lengths)
    if found is None or max(before, now) < SHORTEST or not is_far(now, before):
        return None
    if (found.p_up if is_up else found.p_down) >= CERTAIN:
        return None
    return {"before": round(before), "now": round(now)}


def cut_off(curves: Curves, _weight: float) -> Found:
    """Half of the completions are cut off, or ever more are: 0.1 more than at the beginning."""
    shares = _known(curves.get(CLIPPED, ()))
    if len(shares) < EDGE:
        return None
    before, now = fmean(shares[:EDGE]), fmean(shares[-EDGE:])
    found = trend(shares[-WINDOW:]) if len(shares) >= FEWEST else None
    is_rising = found is not None and found.p_up < CERTAIN and now - before >= MORE_CUT_OFF
    if now < CUT_OFF and not is_rising:
        return None
    return {"now": round(100 * now), "before": round(100 * before)}


def no_deviation(curves: Curves, _weight: float) -> Found:
    """In half of the groups all completions earn the same, so that nothing is learnt from them."""
    shares = _known(curves.get(ZERO_STD, ()))[-EDGE:]
    if len(shares) < 10 or fmean(shares) < SILENT:
        return None
    return {"now": round(100 * fmean(shares)), "steps": len(shares)}


def kl_explosion(curves: Curves, _weight: float) -> Found:
    """The KL of the last ten steps is five times that of the steps before, or simply large."""
    values = _known(curves.get(KL, ()))
    if len(values) < 30:
        return None
    now, before = median(values[-10:]), median(values[-WINDOW:-10])
    if now < KL_ATONCE and not (now >= KL_LEAST and now >= KL_TIMES * before):
        return None
    return {"now": float(f"{now:.3g}"), "before": float(f"{before:.3g}")}


RULES: Mapping[str, Callable[[Curves, float], Found]] = {
    "reward_without_experts": reward_without_experts,
    "length_collapse": length_collapse,
    "length_explosion": length_explosion,
    "cut_off": cut_off,
    "no_deviation": no_deviation,
    "kl_explosion": kl_explosion,
}


class Said(NamedTuple):
    """One completion: of which prompt, and what it says."""

    prompt_id: str
    text: str


def spreading_phrase(first: Sequence[Said], last: Sequence[Said], prompts: Iterable[str]) -> Found:
    """A phrase of 12 words (or Chinese characters) that half of the last completions hold.

    It stands in no prompt, is 40 points more frequent than at the beginning, and answers at least
    three questions: all completions of one question may well say the same.
    """
    if min(len(first), len(last)) < EDGE:
        return None
    known: set[str] = set().union(*map(_phrases, prompts))
    now = [(each.prompt_id, _phrases(each.text) - known) for each in last]
    counted = Counter(phrase for _, phrases in now for phrase in phrases)
    frequent = {each for each, count in counted.items() if count >= SPREAD * len(last)}
    if not frequent:
        return None
    before = Counter(each for said in first for each in _phrases(said.text) & frequent)
    for phrase, count in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        share, was = count / len(last), before[phrase] / len(first)
        if phrase not in frequent:
            return None
        asked = {prompt_id for prompt_id, phrases in now if phrase in phrases}
        if share - was >= WIDER and len(asked) >= 3:
            return {"phrase": phrase, "now": round(100 * share), "before": round(100 * was)}
    return None


def first_not_finite(broken: Mapping[str, int]) -> tuple[int, str] | None:
    """The first step at which a loss, norm or reward was logged that is no finite number.

    `broken` names by metric the first such step.
    """
    return min(((broken[name], name) for name in FINITE if name in broken), default=None)


_WORD = re.compile(r"[A-Za-z0-9_]+|[^\W_]")
_SENTENCE_END = re.compile(r"[。！？!?\n]+")


def _phrases(text: str) -> set[str]:
    """Every run of 12 words within a sentence; a Chinese character counts as a word."""
    found: set[str] = set()
    for part in _SENTENCE_END.split(text):
        places = [match.span() for match in _WORD.finditer(part)]
        for at in range(len(places) - PHRASE + 1):
            found.add(part[places[at][0] : places[at + PHRASE - 1][1]])
    return found


def _known(curve: Curve) -> list[float]:
    return [value for value in curve if math.isfinite(value)]
