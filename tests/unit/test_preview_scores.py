"""What the rewards say of a plan on the desk is what they say of its row in a bundle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dialects import get_dialect, render_answer
from schemas.plan import Plan
from schemas.preview import score_plan
from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import score

NAMES = ("甲专家", "乙专家")
TEXTS = st.text(st.sampled_from("看数据微信甲乙专家，。<think></>"), min_size=1, max_size=60)
PLANS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), min_size=1, max_size=3).map(
    lambda rows: Plan.model_validate(
        {
            "rewritten_query": "问题",
            "steps": [
                {"expert": name, "sub_questions": [text.strip() or "一"], "order": order}
                for order, (name, text) in enumerate(rows, start=1)
            ],
        }
    )
)


def a_context(**changes: object) -> ScoringContext:
    known = {"with_thinking": True, "dialect": "zh@1", "expert_names": frozenset(NAMES)}
    return ScoringContext(**{**known, "query": "问", "banned_words": ("微信",), **changes})


@given(plan=PLANS, suggested=PLANS, trace=TEXTS)
def test_scores_are_those_of_the_rewards(plan, suggested, trace):
    context = a_context(gold=plan.to_plain())
    dialect = get_dialect("zh@1")
    scores = score_plan(plan, a_context(), trace, suggested)
    assert scores.mine == score(render_answer(plan, dialect, trace), context)
    assert scores.model == score(render_answer(suggested, dialect, trace), context)


@pytest.mark.parametrize(("words", "expected"), [((), True), (("数据",), False)])
def test_another_setting_is_another_score_of_the_same_trace(words, expected):
    plan = Plan.model_validate(
        {
            "rewritten_query": "问",
            "steps": [{"expert": "甲专家", "sub_questions": ["一"], "order": 1}],
        }
    )
    scores = score_plan(plan, a_context(banned_words=words), "先看数据", plan)
    assert (scores.mine["ThinkQualityReward"] > 0) is expected
