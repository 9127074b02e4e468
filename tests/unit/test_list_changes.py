"""Changes of an expert list: proposed from the lists, checked against them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labeling.demo
from schemas.change_proposals import propose_changes
from schemas.errors import InvalidInput
from schemas.experts import Expert, ExpertList
from schemas.list_changes import ListChange, check_changes, parse_changes
from schemas.list_files import parse_list_file

DEMO = Path(labeling.demo.__file__).parent
ONE, TWO = (
    parse_list_file((DEMO / f"experts.merchant.v{number}.json").read_bytes())[0]
    for number in (1, 2)
)


def a_list(*experts: Expert, version: int = 1) -> ExpertList:
    return ExpertList(name="merchant", version=version, experts=experts)


def said(changes: tuple[ListChange, ...]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(each.kind, each.before, each.after) for each in changes]


def test_the_expert_that_the_demo_splits_off_is_found_by_its_words() -> None:
    (split,) = propose_changes(ONE, TWO)
    assert said((split,)) == [("split", ("策略推荐专家",), ("策略推荐专家", "人群运营专家"))]
    assert split.likeness


def test_the_demo_read_backwards_is_a_merge() -> None:
    assert said(propose_changes(TWO, ONE)) == [
        ("merge", ("策略推荐专家", "人群运营专家"), ("策略推荐专家",))
    ]


def test_an_old_name_that_is_an_alias_now_is_a_rename() -> None:
    first, *others = ONE.experts
    heir = Expert(name="答疑", description="回答一切", aliases=(first.name,))
    (rename,) = propose_changes(ONE, a_list(heir, *others))
    assert (rename.kind, rename.before, rename.reason) == ("rename", (first.name,), "alias")


def test_an_alias_that_is_a_name_now_is_a_rename() -> None:
    first, *others = ONE.experts
    heir = Expert(name=first.aliases[0], description="回答一切")
    assert said(propose_changes(ONE, a_list(heir, *others))) == [
        ("rename", (first.name,), (heir.name,))
    ]


def test_a_new_name_for_the_same_words_is_a_rename_by_text() -> None:
    first, *others = ONE.experts
    heir = first.model_copy(update={"name": "答疑", "aliases": ()})
    (rename,) = propose_changes(ONE, a_list(heir, *others))
    assert (rename.kind, rename.after, rename.reason) == ("rename", ("答疑",), "description")


def test_two_whose_words_stand_in_one_are_merged_into_it() -> None:
    data, diagnosis = ONE.experts[1], ONE.experts[3]
    both = Expert(name="经营分析专家", description=data.description + diagnosis.description)
    after = a_list(ONE.experts[0], ONE.experts[2], ONE.experts[4], both)
    assert said(propose_changes(ONE, after)) == [
        ("merge", (data.name, diagnosis.name), (both.name,))
    ]


def test_english_experts_are_split_by_their_words_too() -> None:
    weather = Expert(name="weather", description="tells the weather of a city")
    travel = Expert(name="travel", description="books flights, hotels and trains; plans routes")
    hotels = Expert(name="hotel booking", description="books hotels")
    transport = Expert(name="transport", description="books flights and trains; plans routes")
    assert said(propose_changes(a_list(weather, travel), a_list(weather, hotels, transport))) == [
        ("split", ("travel",), ("hotel booking", "transport"))
    ]


def test_who_is_like_nobody_comes_and_goes() -> None:
    gone = ONE.experts[4]
    new = Expert(name="Weather", description="tells the weather of a city")
    assert said(propose_changes(ONE, a_list(*ONE.experts[:4], new))) == [
        ("add", (), ("Weather",)),
        ("retire", (gone.name,), ()),
    ]


words = st.text(alphabet="圈选老客发券定价诊断", max_size=6)
experts = st.lists(
    st.builds(
        Expert,
        name=st.sampled_from("abcdef"),
        description=words,
        aliases=st.lists(st.sampled_from("uvwxyz"), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.name,
)


@given(experts, experts)
def test_what_is_proposed_never_contradicts_the_lists(
    before: list[Expert], after: list[Expert]
) -> None:
    old, new = a_list(*before), a_list(*after, version=2)
    check_changes(propose_changes(old, new), old, new)


@given(experts)
def test_the_same_list_has_no_changes(each: list[Expert]) -> None:
    assert propose_changes(a_list(*each), a_list(*each)) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([], "experts.new_unsaid"),
        ([{"kind": "add", "after": ["人群运营专家"]}], "experts.described_unsaid"),
        ([{"kind": "retire", "before": ["策略推荐专家"]}], "experts.still_there"),
        ([{"kind": "add", "after": ["诊断专家"]}], "experts.was_there"),
        (
            [{"kind": "split", "before": ["策略推荐专家"], "after": ["A", "B"]}],
            "experts.change_of_nobody",
        ),
        (
            [{"kind": "split", "before": ["策略推荐专家"], "after": ["人群运营专家"]}],
            "experts.change_sides",
        ),
        (
            [{"kind": "rename", "before": ["诊断专家"], "after": ["诊断专家"]}],
            "experts.renamed_to_itself",
        ),
        (
            [{"kind": "describe", "before": ["诊断专家"], "after": ["人群运营专家"]}],
            "experts.described_by_name",
        ),
        (
            [
                {"kind": "add", "after": ["人群运营专家"]},
                {
                    "kind": "split",
                    "before": ["策略推荐专家"],
                    "after": ["策略推荐专家", "人群运营专家"],
                },
            ],
            "experts.changed_twice",
        ),
    ],
)
def test_changes_that_the_lists_contradict_are_refused(changes: list[object], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_changes(parse_changes(changes), ONE, TWO)  # pyright: ignore[reportArgumentType]
    assert code in {each.code for each in refused.value.problems}


@pytest.mark.parametrize(
    "value", [None, {}, [None], [{"kind": "swap"}], [{"kind": "add", "after": "A"}]]
)
def test_what_is_no_list_of_changes_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="changes"):
        parse_changes(value)  # pyright: ignore[reportArgumentType]
