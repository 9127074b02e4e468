"""The state of a trace is computed from what people did to the plan."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.staleness import Compared, choose_trace, trace_state
from tests.exporting import a_plan

PLAN = a_plan("上周的流量怎么样？", "数据分析专家", "诊断专家")


def _changed(**changes: object) -> dict[str, object]:
    return PLAN | changes


def test_a_plan_accepted_as_it_stood_leaves_the_trace_fresh() -> None:
    assert trace_state(PLAN, _changed()) == "fresh"


def test_punctuation_width_and_case_are_cosmetic() -> None:
    assert trace_state(PLAN, _changed(rewritten_query="上周的流量怎么样?! ")) == "cosmetic"
    assert trace_state(a_plan("看看 GMV"), a_plan("看看gmv。")) == "cosmetic"


def test_the_position_within_a_stage_is_cosmetic() -> None:
    one, two = PLAN["steps"]
    together = [one | {"order": 1}, two | {"order": 1}]
    swapped = [together[1], together[0]]
    assert trace_state(_changed(steps=together), _changed(steps=swapped)) == "cosmetic"


def test_experts_stages_numbers_and_words_are_substance() -> None:
    one, two = PLAN["steps"]
    assert trace_state(PLAN, _changed(steps=[one])) == "stale"
    assert trace_state(PLAN, _changed(steps=[one, two | {"order": 1}])) == "stale"
    assert trace_state(PLAN, _changed(steps=[one, two | {"expert": "策略推荐专家"}])) == "stale"
    assert trace_state(PLAN, _changed(rewritten_query="本周的流量怎么样？")) == "stale"
    assert trace_state(a_plan("涨了3.5%吗"), a_plan("涨了35%吗")) == "stale"
    assert trace_state(a_plan("涨了-5吗"), a_plan("涨了5吗")) == "stale"


@given(st.text(max_size=30))
def test_a_plan_is_fresh_against_itself(text: str) -> None:
    assert trace_state(a_plan(text), a_plan(text)) == "fresh"


def _compared(suggestion_id: str, plan: dict[str, object], trace_length: int) -> Compared:
    return Compared(suggestion_id, trace_state(PLAN, plan), trace_length)


def test_the_annotation_s_own_trace_comes_first() -> None:
    own, sibling = _compared("own", PLAN, 300), _compared("sibling", PLAN, 20)
    assert choose_trace("own", [sibling, own]) == ("fresh", "own")


def test_a_sibling_with_the_accepted_plan_rescues() -> None:
    other = a_plan("上周的流量怎么样？", "知识问答专家")
    suggestions = [
        _compared("own", other, 10),
        _compared("long", PLAN, 300),
        _compared("short", PLAN, 200),
    ]
    assert choose_trace("own", suggestions) == ("rescued", "short")
    assert choose_trace(None, suggestions) == ("rescued", "short")


def test_without_a_sibling_the_trace_is_stale_or_absent() -> None:
    other = _compared("own", a_plan("别的"), 10)
    assert choose_trace("own", [other]) == ("stale", "own")
    assert choose_trace(None, [other]) == (None, None)
    assert choose_trace(None, []) == (None, None)
