"""Which rows train and which validate, and which pool has them: by the key of their near-cluster.

So growth moves no row, and what is nearly the same is on one side and in one pool.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from db.access import near_clusters as access
from db.engine import Session
from exports.chances import shares
from exports.filling import pools_needed
from schemas.bundle import NearFigures
from schemas.recipe import BundleRecipe

RULE = "near@1"
"""How a manifest names this rule, of its split and of pools apart; without a name, rows went by a
cluster of equal queries alone."""


def is_apart(recipe: BundleRecipe) -> bool:
    """Whether a recipe has two pools that may not share what is nearly the same."""
    return recipe.pools == "apart" and len(pools_needed(recipe)) > 1


def needs_keys(recipe: BundleRecipe) -> bool:
    """Whether the rows of a recipe go by what is near to what."""
    return bool(recipe.val_share) or is_apart(recipe)


class Splits(NamedTuple):
    """The keys of a project's clusters, as far as they are not their own.

    `bridges` are near to what has another key. `unknown` have not been compared; a row of theirs
    might have to move, so it is in no bundle that goes by keys.
    """

    seed: int
    share: float
    keys: Mapping[str, str]
    bridges: frozenset[str]
    unknown: frozenset[str]

    @classmethod
    def load(cls, session: Session, project_id: str, recipe: BundleRecipe) -> Self:
        """What a recipe needs to know: nothing where it splits nothing and keeps nothing apart."""
        if not needs_keys(recipe):
            return cls(recipe.seed, 0.0, {}, frozenset(), frozenset())
        return cls(
            recipe.seed,
            recipe.val_share,
            access.list_joined(session, project_id),
            access.list_bridges(session, project_id),
            frozenset(access.list_unknown(session, project_id)),
        )

    def compared_since(self, before: "Splits") -> Self:
        """With what came or was compared after `before` unknown: it was read as its own key."""
        later = self.keys.keys() - before.keys.keys()
        return self._replace(unknown=self.unknown | before.unknown | later)

    def are_val(self, clusters: Sequence[str]) -> list[bool]:
        """Whether the rows of each of some clusters validate."""
        keys = map(self.keys.get, clusters, clusters)
        return (shares(self.seed, "val", keys) < self.share).tolist()

    def figures(self, clusters: Iterable[str]) -> NearFigures | None:
        """What is asked more than once, or nearly, among rows by their clusters."""
        if not self.share:
            return None
        rows, get, bridges = list(clusters), self.keys.get, self.bridges
        larger = [
            count for count in Counter([get(each, each) for each in rows]).values() if count > 1
        ]
        between = sum([each in bridges for each in rows]) if bridges else 0
        return NearFigures(groups=len(larger), rows=sum(larger), bridges=between)
