"""Near-duplicates among queries: which cluster decides the split of which, once and for good.

Queries that are alike enough, directly or by a chain of others, have one key, so that a split by it
separates none of them. Two things stand against that, and make a *bridge*, which is counted:

* A key never changes once it is written, since what was exported must stay in its split. A new
  query that is near to queries of two keys joins the nearest and leaves both as they are.
* A chain has an end. No key holds more than one in 200 of all clusters (or 20, where they are few):
  a group as large is a mould that many questions are cast in, and would drag a whole project to one
  side. Its members become bridges, and what else is like them keeps its own key.

So of two near queries with different keys at least one is a bridge.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import orjson

from db.access import near_clusters as access
from db.access.near_clusters import ClusterKey, ClusterText
from db.engine import Database
from labeling.near_search import NearSearch, Numbers, Pairs
from schemas.clusters import asked_text
from schemas.leaks import NEAR

_LARGEST, _PART = 20, 200
_STANDING_FOR_MANY = 8
"""Members of a group that is full by which it is still found."""


class Asked(NamedTuple):
    """A cluster to be compared, with what it asks; a `key` is fixed, whatever it is near to.

    Of two that `is_known` both, nothing is to be found out.
    """

    cluster: str
    text: str
    key: str | None = None
    is_known: bool = False


def compare_queries(database: Database, project_id: str, *, most: int | None = None) -> int:
    """Give a key to each cluster of a project that has none; how many those are.

    In a project with more clusters than `most`, where that takes its time, none gets any. Another
    process may do the same at the same time; then one of them looks again.
    """
    while True:
        with database.reading() as session:
            if not access.list_unknown(session, project_id):
                return 0
            known = access.count_known(session, project_id)
            if most is not None and access.count_clusters(session, project_id) > most:
                return 0
            texts = access.list_texts(session, project_id)
            # What was split before there were keys stays where it is.
            split = set[str]() if known else access.list_split(session, project_id)
        asked = [_asked(each, split) for each in texts]
        joined = join(asked)
        added = [found for each, found in zip(asked, joined, strict=True) if not each.is_known]
        bridges = [
            found.cluster
            for each, found in zip(texts, joined, strict=True)
            if each.key is not None and found.is_bridge and not each.is_bridge
        ]
        with database.transaction() as session:
            if access.add_keys(session, project_id, known=known, added=added, bridges=bridges):
                return len(added)


def join(
    asked: Sequence[Asked], *, near: float = NEAR, largest: int | None = None
) -> list[ClusterKey]:
    """The key of each cluster, and whether it proves a bridge now; the oldest comes first.

    What was a bridge before is one still, whatever this says of it.

    Args:
        asked: Clusters, each once.
        near: From which likeness on two are near.
        largest: How many may have one key.
    """
    most = largest or max(_LARGEST, len(asked) // _PART)
    is_asked = np.array([not each.is_known for each in asked], np.bool_)
    search = NearSearch([each.text for each in asked], near, is_asked)
    groups = _Groups(asked, search, most)
    for pairs in search.blocks():
        groups.take(pairs)
    return groups.keys()


class _Groups:
    """Who has one key with whom, while pairs come in."""

    def __init__(self, asked: Sequence[Asked], search: NearSearch, most: int) -> None:
        self._asked, self._search, self._most = asked, search, most
        self._group = list(range(len(asked)))
        self._members: dict[int, list[int]] = {}
        self._keys: dict[int, str] = {}
        self._is_full: set[int] = set()
        self._is_bridge = [False] * len(asked)
        first: dict[str, int] = {}
        for number, each in enumerate(asked):
            if each.key is None:
                continue
            group = self._group[number] = first.setdefault(each.key, number)
            self._keys[group] = each.key
            self._members.setdefault(group, []).append(number)
        for group in list(self._members):
            self._close_if_full(group)

    def take(self, pairs: Pairs) -> None:
        """Let each later text meet those that are near it, the nearest first."""
        order = np.lexsort((pairs.before, -pairs.likeness, pairs.later))
        is_first = np.diff(pairs.later[order], prepend=-1) != 0
        starts: list[int] = [*np.flatnonzero(is_first).tolist(), len(order)]
        for start, end in pairwise(starts):
            if start < end:
                self._meet(int(pairs.later[order[start]]), pairs.before[order[start:end]])

    def keys(self) -> list[ClusterKey]:
        """What each cluster has come to."""
        for group, members in self._members.items():
            if group not in self._keys:
                self._keys[group] = self._asked[min(members)].cluster
        return [
            ClusterKey(each.cluster, self._keys.get(group, each.cluster), is_bridge)
            for each, group, is_bridge in zip(
                self._asked, self._group, self._is_bridge, strict=True
            )
        ]

    def _meet(self, later: int, others: Numbers) -> None:
        met: set[int] = set()
        for other in others.tolist():
            group = self._group[other]
            if group == self._group[later]:
                continue
            # What is met again makes a bridge of the same one, unless that has been compared.
            if group in met and not self._asked[later].is_known:
                continue
            met.add(group)
            if not self._may_join(self._group[later], group):
                self._bridge(other if self._asked[later].is_known else later)
                continue
            self._merge(self._group[later], group)
        is_alone = len(self._members.get(self._group[later], ())) < 2
        if met and is_alone and met <= self._is_full and not self._asked[later].is_known:
            self._search.is_active[later] = False

    def _may_join(self, one: int, other: int) -> bool:
        if one in self._is_full or other in self._is_full:
            return False
        if one in self._keys and other in self._keys:
            return False
        sizes = [len(self._members.get(each, (each,))) for each in (one, other)]
        return sum(sizes) <= self._most

    def _merge(self, one: int, other: int) -> None:
        """The smaller group goes into the larger."""
        mine, theirs = (self._members.setdefault(each, [each]) for each in (one, other))
        if len(mine) < len(theirs):
            one, other, mine, theirs = other, one, theirs, mine
        for number in theirs:
            self._group[number] = one
        mine += theirs
        del self._members[other]
        if other in self._keys:
            self._keys[one] = self._keys.pop(other)
        self._close_if_full(one)

    def _close_if_full(self, group: int) -> None:
        """A mould: few of it are looked at from now on, and whoever is like them is no part."""
        members = self._members[group]
        if len(members) < self._most:
            return
        self._is_full.add(group)
        for number in members:
            self._bridge(number)
        self._search.is_active[members[_STANDING_FOR_MANY:]] = False

    def _bridge(self, number: int) -> None:
        self._is_bridge[number] = True


def _asked(row: ClusterText, split: set[str]) -> Asked:
    history = orjson.loads(row.history) if row.history != "[]" else ()
    fixed = row.cluster if row.cluster in split else None
    text = asked_text(row.text, history)
    return Asked(row.cluster, text, row.key or fixed, row.key is not None)
