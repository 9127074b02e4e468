"""What became of the experts over several versions, put together from one version to the next."""

from collections.abc import Iterator, Sequence

from schemas.experts import ExpertList
from schemas.list_changes import ListChange, change_problems

Heirs = dict[str, tuple[str, ...]]
"""Expert of the oldest list → who does its work in a later one; nobody where it has retired."""


def combine_changes(
    lists: Sequence[ExpertList], steps: Sequence[Sequence[ListChange]]
) -> tuple[ListChange, ...] | None:
    """The changes from the first list to the last; `steps` lead from each list to the next.

    An expert renamed twice is renamed once, one split off and renamed is a part by its newest name,
    one that came and went leaves no trace. In the order of the newest list, who retired at the end.

    None where it cannot be said in changes, such as of an expert that was split and whose part was
    merged into somebody else.
    """
    first, last = lists[0], lists[-1]
    heirs: Heirs = {each.name: (each.name,) for each in first.experts}
    for before, changes in zip(lists, steps, strict=False):
        after = _heirs_of(before, changes)
        heirs = {name: _distinct(after, now) for name, now in heirs.items()}
    combined = tuple(_changes(first, last, heirs))
    if next(change_problems(combined, first, last), None) is not None:
        return None
    places = {each.name: place for place, each in enumerate(last.experts)}
    end = len(places)
    return tuple(
        sorted(combined, key=lambda each: min((places[n] for n in each.after), default=end))
    )


def _heirs_of(before: ExpertList, changes: Sequence[ListChange]) -> Heirs:
    """One step: whoever stands in no change stays."""
    heirs: Heirs = {each.name: (each.name,) for each in before.experts}
    for change in changes:
        for name in change.before:
            heirs[name] = change.after
    return heirs


def _distinct(after: Heirs, now: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(heir for name in now for heir in after[name]))


def _changes(first: ExpertList, last: ExpertList, heirs: Heirs) -> Iterator[ListChange]:
    """What the heirs amount to; an expert that stands on one side twice makes it invalid."""
    old = {each.name: each for each in first.experts}
    came: dict[str, list[str]] = {each.name: [] for each in last.experts}
    for name, now in heirs.items():
        for heir in now:
            came[heir].append(name)
    for name, now in heirs.items():
        if not now:
            yield ListChange(kind="retire", before=(name,))
        elif len(now) > 1:
            yield ListChange(kind="split", before=(name,), after=now)
    for each in last.experts:
        match came[each.name]:
            case []:
                yield ListChange(kind="add", after=(each.name,))
            case [one] if len(heirs[one]) == 1 and one != each.name:
                yield ListChange(kind="rename", before=(one,), after=(each.name,))
            case [one] if len(heirs[one]) == 1 and old[one] != each:
                yield ListChange(kind="describe", before=(one,), after=(each.name,))
            case [_]:
                pass
            case several:
                yield ListChange(kind="merge", before=tuple(several), after=(each.name,))
