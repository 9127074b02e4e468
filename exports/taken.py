"""What sources of an export have taken, as columns that grow while queries are judged."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from exports.candidates import Candidate
from exports.columns import Alike, Columns, Numbers, Places

_Plain = tuple[int, str, str | None, tuple[str, ...]]
"""An `Alike` as a plain tuple, which is quicker to make."""


@dataclass(slots=True)
class Taken:
    """Rows in the order in which they came.

    `candidates` are kept whole where `keeps` says that lines are made of them later; else an entry
    costs some tens of bytes beside the texts of its ids.
    """

    keeps: bool = True
    query_ids: list[str] = field(default_factory=list[str])
    clusters: list[str] = field(default_factory=list[str])
    profiles: "array[int]" = field(default_factory=lambda: array("l"))
    trace_lengths: "array[int]" = field(default_factory=lambda: array("l"))
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    known: dict[_Plain, int] = field(default_factory=dict[_Plain, int])

    def add(self, candidate: Candidate) -> None:
        """Take one more row."""
        alike = candidate.size, candidate.list_id, candidate.trace_state, candidate.experts
        self.query_ids.append(candidate.query_id)
        self.clusters.append(candidate.cluster)
        self.profiles.append(self.known.setdefault(alike, len(self.known)))
        self.trace_lengths.append(candidate.trace_length)
        if self.keeps:
            self.candidates.append(candidate)

    def plain(self) -> tuple[Any, ...]:
        """The rows as `marshal` can write them."""
        return (
            self.query_ids,
            self.clusters,
            self.profiles.tobytes(),
            self.trace_lengths.tobytes(),
            list(map(tuple, self.candidates)),
            list(self.known),
        )

    def adopt(self, plain: tuple[Any, ...]) -> None:
        """Take what another process has taken, of other queries."""
        query_ids, clusters, profiles, trace_lengths, candidates, known = plain
        numbers = [self.known.setdefault(each, len(self.known)) for each in known]
        self.query_ids += query_ids
        self.clusters += clusters
        self.profiles.extend(map(numbers.__getitem__, memoryview(profiles).cast("l")))
        self.trace_lengths.frombytes(trace_lengths)
        self.candidates += map(Candidate._make, candidates)


def columns_of(taken: Sequence[Taken]) -> tuple[Columns, list[Places]]:
    """The rows of all as columns, one after the other, and the places of each."""
    known: dict[_Plain, int] = {}
    clusters: dict[str, int] = {}
    query_ids: list[str] = []
    codes: list[int] = []
    profiles: list[Numbers] = []
    places: list[Places] = []
    for each in taken:
        places.append(np.arange(len(query_ids), len(query_ids) + len(each.query_ids)))
        query_ids += each.query_ids
        codes += [clusters.setdefault(name, len(clusters)) for name in each.clusters]
        renumbered = [known.setdefault(alike, len(known)) for alike in each.known]
        profiles.append(np.array(renumbered, np.int64)[np.array(each.profiles, np.int64)])
    columns = Columns(
        query_ids=query_ids,
        clusters=list(clusters),
        alike=list(map(Alike._make, known)),
        query=np.arange(len(query_ids)),
        cluster=np.array(codes, np.int64),
        profile=_joined(profiles),
        trace_length=_joined(np.array(each.trace_lengths, np.int64) for each in taken),
    )
    return columns, places


def _joined(parts: Iterable[Numbers]) -> Numbers:
    return np.concatenate([np.zeros(0, np.int64), *parts])
