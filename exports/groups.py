"""Rows by what is nearly the same, as numbers: what two pools that are kept apart may not share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from exports.chance import FOR_GRPO
from exports.chances import shares
from exports.columns import Columns, Flags, Numbers, Places
from exports.splits import Splits


@dataclass(frozen=True, slots=True)
class Groups:
    """The group of each row of some columns, a number into the keys of their clusters."""

    names: Sequence[str]
    of_row: Numbers

    @classmethod
    def of(cls, columns: Columns, splits: Splits) -> Self:
        """The groups that the keys of a project make of its clusters."""
        if not splits.keys:
            return cls(columns.clusters, columns.cluster)
        numbers: dict[str, int] = {}
        of_cluster = [
            numbers.setdefault(splits.keys.get(each, each), len(numbers))
            for each in columns.clusters
        ]
        return cls(list(numbers), np.array(of_cluster, np.int64)[columns.cluster])

    def are_for_grpo(self, rows: Places, seed: int) -> Flags:
        """`exports.chance.is_for_grpo` of the group of each of some rows."""
        codes, inverse = np.unique(self.of_row[rows], return_inverse=True)
        numbers: list[int] = codes.tolist()
        falls = shares(seed, "pool", [self.names[each] for each in numbers]) < FOR_GRPO
        return falls[inverse]
