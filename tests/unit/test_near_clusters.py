"""Near-duplicates have one key, no key ever changes, and what is told apart is marked."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.access.near_clusters import ClusterKey
from labeling.near_clusters import Asked, join
from labeling.near_search import NearSearch
from schemas.clusters import asked_text, cluster_key
from schemas.gram_rows import GramRows
from schemas.leaks import NEAR
from schemas.likeness import grams_of

ANY_TEXT = st.one_of(
    st.text("甲乙丙", max_size=30), st.text("abc", max_size=30), st.text(max_size=12)
)
QUESTIONS = (
    "上周华东地区的退款率是多少",
    "请问上周华东地区的退款率是多少",
    "上周华东地区的退款率是多少呢谢谢",
    "上周华南地区的退款率是多少呢谢谢",
    "本周华南地区的退款率是多少呢谢谢你",
    "物流超时的订单占了几成",
    "物流超时的订单大约占了几成",
    "willitraininparistomorrow",
    "willitraininparistomorrowevening",
    "pleasewillitraininparistomorrowevening",
    "甲",
    "",
)


def likeness(one: str, other: str) -> float:
    """Dice of grams, the plain way; a text without any is alike itself alone."""
    left, right = grams_of(one) or {one}, grams_of(other) or {other}
    return 2 * len(left & right) / (len(left) + len(right)) if one and other else 0.0


def near_pairs(texts: list[str]) -> set[frozenset[int]]:
    return {
        frozenset(pair)
        for pair in combinations(range(len(texts)), 2)
        if likeness(texts[pair[0]], texts[pair[1]]) >= NEAR
    }


@given(st.lists(ANY_TEXT, max_size=12))
def test_grams_of_many_texts_are_those_of_each(texts: list[str]) -> None:
    rows = GramRows.of(texts)
    sets = [
        set(rows.grams[rows.starts[n] : rows.starts[n + 1]].tolist()) for n in range(len(texts))
    ]
    wanted = [grams_of(each) or ({each} - {""}) for each in texts]
    assert list(map(len, sets)) == list(map(len, wanted))
    for one, other in combinations(range(len(texts)), 2):
        assert len(sets[one] & sets[other]) == len(wanted[one] & wanted[other])


@given(st.lists(ANY_TEXT, max_size=25), st.data())
def test_every_near_pair_that_is_asked_for_is_found_once(
    texts: list[str], data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    found = [
        (frozenset((later, before)), alike)
        for pairs in NearSearch(texts, NEAR, np.array(asked, np.bool_)).blocks()
        for later, before, alike in zip(
            pairs.later.tolist(), pairs.before.tolist(), pairs.likeness.tolist(), strict=True
        )
    ]
    wanted = {pair for pair in near_pairs(texts) if any(asked[each] for each in pair)}
    assert {pair for pair, _ in found} == wanted
    assert len(found) == len(wanted)
    for pair, alike in found:
        assert alike == likeness(*(texts[each] for each in pair))


def test_pairs_are_found_over_many_blocks() -> None:
    texts = [
        f"第{number % 700}号商品{'和颜色' * (number // 700)}的退款率" for number in range(2100)
    ]
    found = {
        frozenset(pair)
        for pairs in NearSearch(texts, 0.9).blocks()
        for pair in zip(pairs.later.tolist(), pairs.before.tolist(), strict=True)
    }
    some = range(0, 2100, 97)
    for one in some:
        for other in range(2100):
            if one != other:
                is_near = likeness(texts[one], texts[other]) >= 0.9
                assert (frozenset((one, other)) in found) == is_near


def clusters(texts: Sequence[str]) -> list[str]:
    return [f"{number}: {text}" for number, text in enumerate(texts)]


@settings(max_examples=300)
@given(
    st.lists(st.lists(st.sampled_from(QUESTIONS) | ANY_TEXT, max_size=8), max_size=5),
    st.sampled_from((2, 3, 20)),
)
def test_no_key_changes_and_near_ones_differ_only_at_a_bridge(
    imports: list[list[str]], largest: int
) -> None:
    known: dict[str, ClusterKey] = {}
    texts: dict[str, str] = {}
    for number, batch in enumerate(imports):
        texts |= {f"{number}.{place}": text for place, text in enumerate(batch)}
        asked = [
            Asked(each, text, known[each].key if each in known else None, each in known)
            for each, text in texts.items()
        ]
        joined = {each.cluster: each for each in join(asked, largest=largest)}
        assert joined.keys() == texts.keys()
        for each, before in known.items():
            assert joined[each].key == before.key
        known = {
            each: found._replace(is_bridge=found.is_bridge or known.get(each, found).is_bridge)
            for each, found in joined.items()
        }
        for one, other in combinations(known.values(), 2):
            if likeness(texts[one.cluster], texts[other.cluster]) >= NEAR:
                assert one.key == other.key or one.is_bridge or other.is_bridge
    by_key: dict[str, int] = {}
    for each in known.values():
        by_key[each.key] = by_key.get(each.key, 0) + 1
    assert max(by_key.values(), default=0) <= largest


def test_a_chain_of_new_ones_has_one_key() -> None:
    texts = list(QUESTIONS[:5])
    found = join([Asked(each, text) for each, text in zip(clusters(texts), texts, strict=True)])
    assert likeness(texts[0], texts[4]) < NEAR
    assert {each.key for each in found} == {"0: 上周华东地区的退款率是多少"}
    assert not any(each.is_bridge for each in found)


def test_a_new_one_between_two_old_ones_joins_the_nearest_and_is_marked() -> None:
    between = QUESTIONS[2]
    found = join(
        [
            Asked("old", QUESTIONS[3], "old", is_known=True),
            Asked("other", QUESTIONS[0], "other", is_known=True),
            Asked("new", between),
        ]
    )
    assert likeness(between, QUESTIONS[0]) > likeness(between, QUESTIONS[3]) >= NEAR
    assert found == [
        ClusterKey("old", "old", is_bridge=False),
        ClusterKey("other", "other", is_bridge=False),
        ClusterKey("new", "other", is_bridge=True),
    ]


def test_old_ones_that_were_split_stay_apart_and_one_is_marked() -> None:
    found = join([Asked("one", QUESTIONS[0], "one"), Asked("other", QUESTIONS[1], "other")])
    assert [each.key for each in found] == ["one", "other"]
    assert sum(each.is_bridge for each in found) == 1


def test_a_mould_is_no_question_and_does_not_drag_all_to_one_side() -> None:
    texts = [
        f"第{number}家店上周的流量和转化率为什么下降应该怎么调整投放" for number in range(5000)
    ]
    found = join([Asked(each, text) for each, text in zip(clusters(texts), texts, strict=True)])
    counts: dict[str, int] = {}
    for each in found:
        counts[each.key] = counts.get(each.key, 0) + 1
    assert max(counts.values()) <= 25
    assert len(counts) > 4000
    assert sum(each.is_bridge for each in found) > 4900


@pytest.mark.parametrize("text", ["流量呢？", "WHAT about traffic"])
def test_queries_of_one_cluster_ask_the_same_text(text: str) -> None:
    history = [
        {"role": "user", "content": "看看，周报"},
        {"role": "assistant", "content": "好的"},
    ]
    other = [{"role": "user", "content": "看看 周报！"}, {"role": "assistant", "content": "好的。"}]
    assert cluster_key(text, history) == cluster_key(f" {text}!", other)
    assert asked_text(text, history) == asked_text(f" {text}!", other)
    assert asked_text(text, history).startswith("看看周报")
    assert asked_text("？") == ""
