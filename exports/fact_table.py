"""The facts of a project's rows as columns, for counting a recipe without touching a plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from db.access import facts
from db.access.facts import Profile
from db.engine import Session
from exports.columns import Alike, Columns, Flags, Numbers
from schemas.bundle import REDERIVED
from schemas.recipe import BundleRecipe


@dataclass(frozen=True, slots=True)
class FactTable(Columns):
    """The rows of a query lie together, in the order in which it offers them."""

    profiles: Sequence[Profile]
    profile_ids: Sequence[int]

    @classmethod
    def load(cls, session: Session, project_id: str, recipe: BundleRecipe) -> "FactTable":
        """All rows of a project; where a trace was written anew, the row that the recipe takes."""
        by_id = facts.list_profiles(session, project_id)
        places = {profile_id: place for place, profile_id in enumerate(by_id)}
        rows = facts.list_counted(session, project_id)
        if any(each.kind == REDERIVED for each in by_id.values()):
            takes_rederived = recipe.stale_traces == "rederived"
            rows = _one_of_each(rows, by_id, takes_rederived=takes_rederived)
            by_id = {
                key: each._replace(kind="accepted") if each.kind == REDERIVED else each
                for key, each in by_id.items()
            }
        queries: dict[str, int] = {}
        clusters: dict[str, int] = {}
        count = len(rows)

        def column(numbers: list[int]) -> Numbers:
            return np.fromiter(numbers, np.int64, count)

        return cls(
            query=column([queries.setdefault(row[0], len(queries)) for row in rows]),
            cluster=column([clusters.setdefault(row[3], len(clusters)) for row in rows]),
            profile=column([places[row[1]] for row in rows]),
            trace_length=column([row[2] for row in rows]),
            query_ids=list(queries),
            clusters=list(clusters),
            profiles=list(by_id.values()),
            profile_ids=list(by_id),
            alike=[_alike(each) for each in by_id.values()],
        )

    def by_profile(self, says: Callable[[Profile], bool]) -> Flags:
        """What holds of each row by its profile."""
        flags = np.fromiter(map(says, self.profiles), np.bool_, len(self.profiles))
        return flags[self.profile] if len(flags) else np.zeros(0, np.bool_)


def _alike(profile: Profile) -> Alike:
    experts = tuple(orjson.loads(profile.experts))
    return Alike(profile.size, profile.list_version_id, profile.trace_state, experts)


def _one_of_each(
    rows: Sequence[tuple[str, int, int, str]],
    profiles: Mapping[int, Profile],
    *,
    takes_rederived: bool,
) -> list[tuple[str, int, int, str]]:
    """Of each accepted query one row: with the trace that was written anew, or without."""
    if not takes_rederived:
        return [row for row in rows if profiles[row[1]].kind != REDERIVED]
    has_new = {row[0] for row in rows if profiles[row[1]].kind == REDERIVED}
    return [row for row in rows if row[0] not in has_new or profiles[row[1]].kind != "accepted"]
