"""Proposing what became of the experts of a list, by rules first and by likeness of text then.

The rules read names and aliases: a new expert that carries an old name as an alias, or whose name
was an alias, is the old one renamed; several old names on one expert are a merge. What no rule
settles is compared by text: names and descriptions (rapidfuzz) tell a rename, and a description
that had a part of its words taken away by a new expert tells a split; the reverse, a merge. A
proposal is for a person to confirm or to change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from rapidfuzz import fuzz

from schemas.clusters import normalised
from schemas.experts import Expert, ExpertList
from schemas.likeness import grams_of
from schemas.list_changes import ListChange

SAME_PERSON = 0.6
"""From this likeness on, an expert that is gone and a new one are proposed as a rename."""
TAKEN_OVER = 0.2
"""The least share of a description's grams that another must have taken over."""
_LEAST_GRAMS = 3
_A_TEAM = 4


def propose_changes(before: ExpertList, after: ExpertList) -> tuple[ListChange, ...]:
    """The changes that the two lists suggest; every expert is accounted for.

    In the order of the newer list, who retired at the end.
    """
    return tuple(_Proposer(before, after).changes())


def likeness_of(one: Expert, other: Expert) -> float:
    """How alike two experts are by name, aliases and description, 0 to 1."""
    names = max(
        fuzz.ratio(normalised(a), normalised(b))
        for a in (one.name, *one.aliases)
        for b in (other.name, *other.aliases)
    )
    told = fuzz.ratio(normalised(one.description), normalised(other.description))
    return round(max(0.35 * names + 0.65 * told, 0.8 * told, 0.0) / 100, 3)


class _Proposer:
    """The two lists, and who is accounted for so far."""

    def __init__(self, before: ExpertList, after: ExpertList) -> None:
        self.old = {each.name: each for each in before.experts}
        self.new = {each.name: each for each in after.experts}
        self._made: list[ListChange] = []
        self._left: set[str] = set()
        self._come: set[str] = set()
        self._common = _common(before.experts) | _common(after.experts)

    def changes(self) -> list[ListChange]:
        """Everything, settled from the surest to the least sure."""
        self._add(self._by_names())
        self._add(self._splits())
        self._add(self._merges())
        self._add(self._by_text())
        self._add(self._rest())
        place = {name: number for number, name in enumerate(self.new)}
        return sorted(
            self._made, key=lambda each: min((place[n] for n in each.after), default=len(place))
        )

    def _add(self, found: Iterable[ListChange]) -> None:
        for each in found:
            self._made.append(each)
            self._left.update(each.before)
            self._come.update(each.after)

    def _gone(self) -> list[Expert]:
        return [e for n, e in self.old.items() if n not in self.new and n not in self._left]

    def _fresh(self) -> list[Expert]:
        return [e for n, e in self.new.items() if n not in self.old and n not in self._come]

    def _by_names(self) -> Iterator[ListChange]:
        """Old names that live on as aliases, and aliases that became names."""
        heirs: dict[str, list[str]] = {}
        aliases = {alias: each.name for each in self.new.values() for alias in each.aliases}
        was = {alias: each.name for each in self.old.values() for alias in each.aliases}
        for name in self.old:
            if name not in self.new and name in aliases:
                heirs.setdefault(aliases[name], []).append(name)
        for name in self.new:
            old = was.get(name)
            if name not in self.old and name not in heirs and old and old not in self.new:
                heirs[name] = [old]
        for heir, names in heirs.items():
            of = [heir, *names] if heir in self.old else names
            kind = "merge" if len(of) > 1 else "rename"
            yield ListChange(kind=kind, before=tuple(of), after=(heir,), reason="alias")

    def _by_text(self) -> Iterator[ListChange]:
        """Who is gone and who is new, paired by likeness, the most alike over all."""
        gone, fresh = self._gone(), self._fresh()
        if not gone or not fresh:
            return
        alike = np.asarray([[likeness_of(a, b) for b in fresh] for a in gone])
        # A quarter of a second and 30 MB, which others who import this need not pay.
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

        rows, columns = linear_sum_assignment(alike, maximize=True)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            likeness = float(alike[row, column])
            if likeness >= SAME_PERSON:
                before, after = gone[row].name, fresh[column].name
                yield ListChange(
                    kind="rename",
                    before=(before,),
                    after=(after,),
                    reason="description",
                    likeness=likeness,
                )

    def _splits(self) -> Iterator[ListChange]:
        """New experts that took over what an old one said of itself."""
        old = [e for n, e in self.old.items() if n not in self._left and e != self.new.get(n)]
        parts = _taken(self._fresh(), old, self.new, self._common)
        for name, taken in parts.items():
            keeps = (name,) if name in self.new and name not in self._come else ()
            after = (*keeps, *taken)
            if len(after) > 1:
                yield _by_likeness("split", (name,), after, min(taken.values()))

    def _merges(self) -> Iterator[ListChange]:
        """Old experts whose words stand in the description of one that grew."""
        new = [e for n, e in self.new.items() if n not in self._come and e != self.old.get(n)]
        parts = _taken(self._gone(), new, self.old, self._common)
        for name, taken in parts.items():
            had = (name,) if name in self.old and name not in self._left else ()
            before = (*had, *taken)
            if len(before) > 1:
                yield _by_likeness("merge", before, (name,), min(taken.values()))

    def _rest(self) -> Iterator[ListChange]:
        for name, each in self.new.items():
            if name in self._come:
                continue
            if name not in self.old:
                yield ListChange(kind="add", after=(name,), reason="content")
            elif self.old[name] != each and name not in self._left:
                yield ListChange(kind="describe", before=(name,), after=(name,), reason="content")
        for each in self._gone():
            yield ListChange(kind="retire", before=(each.name,), reason="content")


def _taken(
    parts: list[Expert],
    wholes: list[Expert],
    other_side: Mapping[str, Expert],
    common: set[str],
) -> dict[str, dict[str, float]]:
    """Whole → part → share of the whole's words that the part took over, as far as it did.

    Only words count that the whole has lost (it no longer stands on the other side, or no longer
    says them), and that tell something: words of most experts do not.
    """
    found: dict[str, dict[str, float]] = {}
    for part in parts:
        mine = _grams(part)
        shares: dict[str, float] = {}
        for whole in wholes:
            said = _grams(whole) - common
            kept = _grams(other_side[whole.name]) if whole.name in other_side else set[str]()
            lost = said - kept
            shared = lost & mine
            if len(shared) >= _LEAST_GRAMS:
                shares[whole.name] = len(shared) / max(1, min(len(lost), len(mine - common)))
        best = max(shares, key=lambda name: shares[name], default=None)
        if best is not None and shares[best] >= TAKEN_OVER:
            found.setdefault(best, {})[part.name] = round(shares[best], 3)
    return found


def _common(experts: Sequence[Expert]) -> set[str]:
    """Grams that most experts of a list have; of very few, what two have may be no accident."""
    if len(experts) < _A_TEAM:
        return set()
    counts: dict[str, int] = {}
    for each in experts:
        for gram in _grams(each):
            counts[gram] = counts.get(gram, 0) + 1
    return {gram for gram, count in counts.items() if 2 * count > len(experts)}


def _grams(expert: Expert) -> set[str]:
    return grams_of(normalised("\n".join((*expert.aliases, expert.description))))


def _by_likeness(
    kind: str, before: tuple[str, ...], after: tuple[str, ...], likeness: float
) -> ListChange:
    return ListChange.model_validate(
        {
            "kind": kind,
            "before": before,
            "after": after,
            "reason": "description",
            "likeness": likeness,
        }
    )
