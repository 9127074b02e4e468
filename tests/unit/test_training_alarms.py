"""Alarms sound on what they are for, and noise alone does not sound them."""

import math
import random
from collections.abc import Callable
from statistics import fmean

import pytest

from schemas.sentences import LANGUAGES, sentence
from schemas.training_alarms import (
    CLIPPED,
    EXPERTS,
    KL,
    LENGTH,
    RULES,
    TOTAL,
    WANTED_LENGTH,
    ZERO_STD,
    Alarm,
    Said,
    first_not_finite,
    spreading_phrase,
)
from schemas.trend import trend

STEPS = 240
Shape = Callable[[float], float]


def noisy(
    seed: object, level: float, spread: float, shape: Shape = lambda _: 0.0, likeness: float = 0.6
) -> list[float]:
    """Values whose noise is alike to its neighbours', as that of a training is."""
    draw, told, drift = random.Random(str(seed)), [], 0.0
    for step in range(STEPS):
        drift = likeness * drift + draw.gauss(0, spread) * math.sqrt(1 - likeness**2)
        told.append(level + drift + shape(step / STEPS))
    return told


def clean(seed: object) -> dict[str, list[float]]:
    """A training in which nothing is wrong and nothing moves."""
    return {
        TOTAL: noisy((seed, 1), 0.55, 0.05),
        EXPERTS: noisy((seed, 2), 0.5, 0.08),
        LENGTH: noisy((seed, 3), 180, 25),
        CLIPPED: [min(1.0, max(0.0, each)) for each in noisy((seed, 4), 0.12, 0.08)],
        ZERO_STD: [min(1.0, max(0.0, each)) for each in noisy((seed, 5), 0.2, 0.1)],
        KL: [abs(each) for each in noisy((seed, 6), 0.03, 0.02)],
    }


def sounding(curves: dict[str, list[float]], weight: float = 1.0) -> set[str]:
    return {name for name, rule in RULES.items() if rule(curves, weight) is not None}


PLANTED: dict[str, dict[str, list[float]]] = {
    "reward_without_experts": {TOTAL: noisy("up", 0.4, 0.04, lambda at: 0.25 * at)},
    "length_collapse": {LENGTH: noisy("short", 200, 20, lambda at: -160 * at)},
    "length_explosion": {LENGTH: noisy("long", 150, 20, lambda at: 400 * at)},
    "cut_off": {CLIPPED: noisy("cut", 0.05, 0.04, lambda at: 0.4 * at)},
    "no_deviation": {ZERO_STD: noisy("same", 0.3, 0.05, lambda at: 0.6 * at)},
    "kl_explosion": {KL: noisy("kl", 0.05, 0.01, lambda at: 8 * max(0.0, at - 0.95) / 0.05)},
}


@pytest.mark.parametrize("name", list(RULES))
def test_an_alarm_sounds_on_its_planted_series_and_alone(name: str) -> None:
    assert sounding(clean("planted") | PLANTED[name]) == {name}


@pytest.mark.parametrize("name", list(RULES))
def test_the_sentences_of_an_alarm_take_its_figures_in_both_languages(name: str) -> None:
    values = RULES[name](clean("planted") | PLANTED[name], 1.0)
    assert values is not None
    alarm = Alarm(name=name, stage="grpo", step=STEPS, values=values)
    for language in LANGUAGES:
        assert str(next(iter(values.values()))) in sentence(alarm.code, alarm.values, language)
        assert sentence(alarm.advice, {}, language)


def test_of_200_clean_noisy_trainings_at_most_one_in_twenty_sounds_anything() -> None:
    false = [seed for seed in range(200) if sounding(clean(seed))]
    assert len(false) <= 10, false


def test_a_total_that_rises_because_the_experts_do_is_no_alarm() -> None:
    both = {
        TOTAL: noisy("up", 0.4, 0.04, lambda at: 0.25 * at),
        EXPERTS: noisy("with", 0.3, 0.05, lambda at: 0.4 * at),
    }
    assert sounding(clean("healthy") | both) == set()


def test_experts_at_their_ceiling_may_stay_flat() -> None:
    rising = {TOTAL: noisy("up", 0.4, 0.04, lambda at: 0.25 * at), EXPERTS: [1.0] * STEPS}
    assert sounding(clean("healthy") | rising) == set()


def test_thinking_that_shrinks_to_its_wanted_length_is_no_collapse() -> None:
    """From 240 to 93, as in the article: that is what the reward of the length is for."""
    shorter = {LENGTH: noisy("shorter", 240, 20, lambda at: -147 * at)}
    paid = {WANTED_LENGTH: noisy("paid", 0.2, 0.05, lambda at: 0.6 * at)}
    unpaid = {WANTED_LENGTH: noisy("unpaid", 0.8, 0.05, lambda at: -0.6 * at)}
    assert sounding(clean("shorter") | shorter | paid) == set()
    assert sounding(clean("shorter") | shorter | unpaid) == {"length_collapse"}


def test_a_rise_is_measured_against_all_weights() -> None:
    rising = clean("weights") | {TOTAL: noisy("up", 4.0, 0.4, lambda at: 0.1 * at)}
    assert sounding(rising, weight=9.0) == set()


def test_few_steps_claim_nothing() -> None:
    short = {name: values[:9] for name, values in (clean("short") | PLANTED["cut_off"]).items()}
    assert sounding(short) == set()
    assert sounding({}) == set()


def test_gaps_in_a_curve_are_passed_over() -> None:
    holes = [math.nan if at % 3 else value for at, value in enumerate(noisy("h", 0.9, 0.01))]
    assert sounding({ZERO_STD: holes}) == {"no_deviation"}


def test_the_first_loss_that_is_not_finite_is_named() -> None:
    assert first_not_finite({"loss": 7, "grad_norm": 5, "kl": 1}) == (5, "grad_norm")
    assert first_not_finite({"kl": 1}) is None


def test_the_trend_of_blocks_is_that_of_the_line_beneath_the_noise() -> None:
    found = trend(noisy("line", 1.0, 0.05, lambda at: 2 * at))
    assert found is not None
    assert found.change == pytest.approx(2.0, abs=0.1)
    assert found.p_up < 1e-6


def test_the_trend_is_certain_of_chance_alone_about_as_rarely_as_it_says() -> None:
    """A Mann–Kendall test at 0.05 sounds on about 5 % of independent noise."""
    sounds = [trend(noisy((seed, "flat"), 0, 1, likeness=0.0)) for seed in range(400)]
    share = fmean(each is not None and each.p_up < 0.05 for each in sounds)
    assert 0.02 <= share <= 0.085


PROMPTS = ["请为商家规划：数据分析专家负责查询经营数据，诊断专家负责诊断经营问题。"]
SPREADS = "综合以上所有信息我认为这个问题非常重要必须认真对待"


def completions(seed: int, *, share: float, phrase: str = SPREADS) -> list[Said]:
    draw = random.Random(seed)
    words = "查看上周流量转化退款订单新客评分广告券活动库存"
    return [
        Said(
            f"q{number % 8}",
            "".join(draw.choice(words) for _ in range(60))
            + PROMPTS[0]
            + (phrase if draw.random() < share else ""),
        )
        for number in range(80)
    ]


def test_a_phrase_that_spreads_is_told_with_its_shares() -> None:
    found = spreading_phrase(completions(1, share=0.05), completions(2, share=0.9), PROMPTS)
    assert found is not None
    assert str(found["phrase"]) in SPREADS
    assert found["now"] > 80  # pyright: ignore[reportOperatorIssue]
    assert found["before"] < 15  # pyright: ignore[reportOperatorIssue]
    alarm = Alarm(name="phrase", stage="grpo", step=9, values=found)
    assert all(str(found["phrase"]) in sentence(alarm.code, found, each) for each in LANGUAGES)


def test_what_was_always_said_or_stands_in_the_prompts_is_no_spreading_phrase() -> None:
    assert spreading_phrase(completions(1, share=0.9), completions(2, share=0.9), PROMPTS) is None
    assert spreading_phrase(completions(1, share=0), completions(2, share=0), PROMPTS) is None
    later = completions(2, share=1, phrase=PROMPTS[0])
    assert spreading_phrase(completions(1, share=0), later, PROMPTS) is None


def test_all_answers_to_one_question_may_say_the_same() -> None:
    one = [each._replace(prompt_id="q1") for each in completions(2, share=1)]
    assert spreading_phrase(completions(1, share=0), one, PROMPTS) is None


def test_a_phrase_does_not_spread_by_chance() -> None:
    pairs = [(completions(s, share=0.3), completions(s + 500, share=0.3)) for s in range(100)]
    assert sum(spreading_phrase(*pair, PROMPTS) is not None for pair in pairs) <= 5
