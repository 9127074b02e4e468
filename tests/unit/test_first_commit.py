"""Where a trace is decided: the place after which its experts and their order do not change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.committed import first_commit
from schemas.experts import Expert, ExpertList

NAMES = ("数据分析专家", "诊断专家", "策略推荐专家")
LIST = ExpertList(
    name="m",
    version=1,
    experts=tuple(Expert(name=each, description="d", aliases=(each[:2],)) for each in NAMES),
)
DATA, WHY, HOW = NAMES


def decided(trace: str) -> str:
    """What stands in the trace up to where it is decided."""
    share = first_commit(trace, LIST)
    assert share is not None
    return trace[: round(share * len(trace))]


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (f"先由{DATA}", "查看周报，就这样安排。"),
        (f"先{DATA}，再{WHY}", "。回顾：用户要周报和原因，没有别的。"),
        (f"先{DATA}，再{WHY}", f"。回顾：{DATA}查看周报，{WHY}找原因。"),
        (f"先{DATA}，再{HOW}。不需要{HOW}", "，只看周报。"),
        (f"先{WHY}，再{DATA}。不对，应当先{DATA}，再{WHY}", "。就这样。"),
        (f"先{DATA}，再{WHY}，最后{HOW}", "。好。"),
    ],
)
def test_a_trace_is_decided_where_nothing_changes_any_more(first: str, rest: str) -> None:
    assert decided(first + rest) == first


def test_a_trace_that_names_nobody_is_never_decided() -> None:
    assert first_commit("用户在打招呼，不需要专家。", LIST) is None
    assert first_commit("", LIST) is None
    assert first_commit(f"不需要{DATA}。", LIST) is None


def test_the_last_word_is_the_end() -> None:
    assert first_commit(f"想了很久。请{DATA}", LIST) == 1.0


TRACES = st.lists(
    st.sampled_from([DATA, WHY, HOW, f"不需要{WHY}", "看周报", "数据", "再想想", "，", "。"]),
    max_size=14,
).map("".join)


@given(TRACES, st.sampled_from(["。好的。", "。就这样安排，没有别的要求。"]))
def test_reflection_moves_the_share_and_not_the_place(trace: str, rest: str) -> None:
    before, after = first_commit(trace, LIST), first_commit(trace + rest, LIST)
    if before is None or after is None:
        assert before is after is None
        return
    assert 0 < after < before <= 1
    assert after * len(trace + rest) == pytest.approx(before * len(trace))
