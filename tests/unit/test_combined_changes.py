"""Changes over several versions: put together, or not said at all."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.change_proposals import propose_changes
from schemas.combined_changes import combine_changes
from schemas.experts import Expert, ExpertList
from schemas.list_changes import ChangeKind, ListChange, change_problems, check_changes


def a_list(version: int, *names: str, **described: str) -> ExpertList:
    """Experts by name; who is not described anew says the same in every version."""
    experts = [Expert(name=each, description=described.get(each, "负责经营")) for each in names]
    return ExpertList(name="merchant", version=version, experts=tuple(experts))


def a_change(kind: ChangeKind, before: str, after: str) -> ListChange:
    return ListChange(kind=kind, before=tuple(before.split()), after=tuple(after.split()))


def combined(lists: list[ExpertList], *steps: list[ListChange]) -> list[tuple[Any, ...]] | None:
    for step, before, after in zip(steps, lists, lists[1:], strict=False):
        check_changes(step, before, after)
    found = combine_changes(lists, steps)
    return (
        None if found is None else [(e.kind, " ".join(e.before), " ".join(e.after)) for e in found]
    )


@pytest.mark.parametrize(
    ("names", "steps", "expected"),
    [
        pytest.param(
            ["策略 数据", "推荐 数据", "运营 数据"],
            [("rename", "策略", "推荐"), ("rename", "推荐", "运营")],
            [("rename", "策略", "运营")],
            id="renamed twice is renamed once",
        ),
        pytest.param(
            ["策略 数据", "推荐 数据", "策略 数据"],
            [("rename", "策略", "推荐"), ("rename", "推荐", "策略")],
            [],
            id="renamed there and back is nothing",
        ),
        pytest.param(
            ["策略", "策略 人群", "策略 会员"],
            [("split", "策略", "策略 人群"), ("rename", "人群", "会员")],
            [("split", "策略", "策略 会员")],
            id="a part goes by its newest name",
        ),
        pytest.param(
            ["策略 数据", "策略 数据 会员", "策略 数据"],
            [("add", "", "会员"), ("retire", "会员", "")],
            [],
            id="who came and went leaves no trace",
        ),
        pytest.param(
            ["诊断 数据 会员", "数据 会员", "数据"],
            [("merge", "诊断 数据", "数据"), ("merge", "数据 会员", "数据")],
            [("merge", "诊断 数据 会员", "数据")],
            id="merged twice is merged once",
        ),
        pytest.param(
            ["策略 数据", "策略 人群 数据", "策略 数据"],
            [("split", "策略", "策略 人群"), ("merge", "人群 数据", "数据")],
            None,
            id="a part that went to somebody else cannot be said",
        ),
    ],
)
def test_changes_of_two_steps_are_put_together(
    names: list[str], steps: list[tuple[ChangeKind, str, str]], expected: list[Any] | None
):
    lists = [a_list(number, *each.split()) for number, each in enumerate(names, start=1)]
    assert combined(lists, *([a_change(*each)] for each in steps)) == expected


def test_an_expert_that_says_something_else_twice_is_described_once():
    lists = [
        a_list(1, "策略"),
        a_list(2, "策略", 策略="负责推广"),
        a_list(3, "策略", 策略="负责定价"),
    ]
    described = [a_change("describe", "策略", "策略")]
    assert combined(lists, described, described) == [("describe", "策略", "策略")]


def test_an_expert_that_retired_and_a_new_one_of_its_name_are_two():
    lists = [a_list(1, "策略", "数据"), a_list(2, "数据"), a_list(3, "策略", "数据")]
    steps = [[a_change("retire", "策略", "")], [a_change("add", "", "策略")]]
    assert combined(lists, *steps) == [("add", "", "策略"), ("retire", "策略", "")]


NAMES = ("策略", "数据", "诊断", "人群", "data", "advice")
TEXTS = st.sampled_from(
    ("负责推广与定价", "查询经营数据", "查找异常原因", "reach regular customers")
)


@st.composite
def some_lists(draw: st.DrawFn) -> list[ExpertList]:
    """A few versions with experts that come, go and change."""
    some = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
    return [
        ExpertList(
            name="merchant",
            version=version,
            experts=tuple(Expert(name=each, description=draw(TEXTS)) for each in draw(some)),
        )
        for version in range(1, draw(st.integers(2, 4)) + 1)
    ]


@given(some_lists())
def test_what_is_put_together_accounts_for_every_expert_once(lists: list[ExpertList]):
    steps = [propose_changes(a, b) for a, b in pairwise(lists)]
    found = combine_changes(lists, steps)
    if found is not None:
        assert not list(change_problems(found, lists[0], lists[-1]))
    if len(steps) == 1:
        assert {each.key for each in found or ()} == {each.key for each in steps[0]}
