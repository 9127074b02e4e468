"""Rows as columns of numbers, so that a recipe selects among many without touching one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exports.chances import hashes, shares

Places = NDArray[np.intp]
"""Places of rows in the columns."""
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Alike(NamedTuple):
    """What many rows have in common; `experts` are those of the steps, in order."""

    size: int
    list_id: str
    trace_state: str | None
    experts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry a row; queries, clusters and what rows have in common are numbers into lists.

    Whether two entries of `query_ids` are the same query is for whoever fills them to say.
    """

    query_ids: Sequence[str]
    clusters: Sequence[str]
    alike: Sequence[Alike]
    query: Numbers
    cluster: Numbers
    profile: Numbers
    trace_length: Numbers

    def __len__(self) -> int:
        return len(self.query)

    def ids(self, rows: Places) -> list[str]:
        """The query of each of some rows."""
        codes: list[int] = self.query[rows].tolist()
        return [self.query_ids[code] for code in codes]

    def clusters_of(self, rows: Places) -> list[str]:
        """The cluster of each of some rows."""
        codes: list[int] = self.cluster[rows].tolist()
        return [self.clusters[code] for code in codes]

    def profile_counts(self, rows: Places) -> Numbers:
        """How many of some rows have each profile."""
        return np.bincount(self.profile[rows], minlength=len(self.alike))

    def below(self, rows: Places, seed: int, purpose: str, share: float) -> Flags:
        """Whether the cluster of each of some rows falls below a share, for a purpose."""
        codes, inverse = np.unique(self.cluster[rows], return_inverse=True)
        numbers: list[int] = codes.tolist()
        falls = shares(seed, purpose, [self.clusters[each] for each in numbers]) < share
        return falls[inverse]

    def ranks(self, rows: Places, seed: int) -> NDArray[np.uint64]:
        """A hash of each query that stands for chance; by it the rows of a file are ordered."""
        return hashes(seed, "order", self.ids(rows))
