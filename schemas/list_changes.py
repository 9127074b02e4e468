"""What became of the experts from one version of a list to the next, as people recorded it.

A change names experts of the older version (`before`) and of the newer (`after`):

* rename: one becomes another; describe: the same name says something else of itself;
* add: nobody before; retire: nobody after;
* split: one becomes two or more, itself perhaps among them;
* merge: two or more become one, perhaps one of them.

An expert stands at most once on each side. Whoever stands nowhere is the same in both.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.scoring.check import Problem

ChangeKind = Literal["rename", "describe", "add", "retire", "split", "merge"]
KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
Reason = Literal["stated", "alias", "name", "description", "content"]
"""How a change is known: stated by a person, or proposed because of what the lists say."""
Source = Literal["recorded", "proposed"]

_SIDES: dict[ChangeKind, tuple[range, range]] = {
    "rename": (range(1, 2), range(1, 2)),
    "describe": (range(1, 2), range(1, 2)),
    "add": (range(1), range(1, 2)),
    "retire": (range(1, 2), range(1)),
    "split": (range(1, 2), range(2, 1001)),
    "merge": (range(2, 1001), range(1, 2)),
}


class ListChange(BaseModel):
    """One change; `likeness` (0 to 1) says how sure a proposal by text is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    reason: Reason = "stated"
    likeness: float | None = None

    @property
    def key(self) -> tuple[str, frozenset[str], frozenset[str]]:
        """What is changed into what, however it is known and in whatever order."""
        return self.kind, frozenset(self.before), frozenset(self.after)


class ListChanges(BaseModel):
    """All changes from one version to the next, recorded by a person or only proposed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source
    changes: tuple[ListChange, ...]


def parse_changes(value: JsonValue) -> tuple[ListChange, ...]:
    """Changes from plain values, as a file or a form has them; they are stated.

    Raises:
        InvalidInput: `experts.changes_refused`, with every problem.
    """
    if isinstance(value, dict) and "changes" in value:
        value = value["changes"]
    if not isinstance(value, list):
        raise _refused([Problem("$", "experts.no_changes_list", {})])
    problems: list[Problem] = []
    changes: list[ListChange] = []
    for index, each in enumerate(value):
        path = f"$[{index}]"
        fields = each if isinstance(each, dict) else {}
        sides = [fields.get(side) or [] for side in ("before", "after")]
        if fields.get("kind") not in KINDS:
            problems.append(Problem(path, "experts.unknown_change", {"kinds": ", ".join(KINDS)}))
        elif not all(_is_names(side) for side in sides):
            problems.append(Problem(path, "experts.no_change_names", {}))
        else:
            before, after = (tuple(name.strip() for name in cast(list[str], s)) for s in sides)
            kind = cast(ChangeKind, fields["kind"])
            changes.append(ListChange(kind=kind, before=before, after=after))
    if problems:
        raise _refused(problems)
    return tuple(changes)


def check_changes(changes: Sequence[ListChange], before: ExpertList, after: ExpertList) -> None:
    """Refuse changes that the two lists contradict.

    Raises:
        InvalidInput: `experts.changes_refused`, with every problem.
    """
    problems = list(change_problems(changes, before, after))
    if problems:
        raise _refused(problems)


def change_problems(
    changes: Sequence[ListChange], before: ExpertList, after: ExpertList
) -> Iterator[Problem]:
    """Where changes contradict the lists: every expert must be accounted for, and once."""
    for index, each in enumerate(changes):
        path = f"$[{index}]"
        ranges = _SIDES[each.kind]
        if len(each.before) not in ranges[0] or len(each.after) not in ranges[1]:
            yield Problem(path, "experts.change_sides", {"kind": each.kind})
        if each.kind == "describe" and each.before != each.after:
            yield Problem(path, "experts.described_by_name", {})
        if each.kind == "rename" and each.before == each.after:
            yield Problem(path, "experts.renamed_to_itself", {"name": each.before[0]})
        for side, names, known in (
            ("before", each.before, before.names),
            ("after", each.after, after.names),
        ):
            for name in names:
                if name not in known:
                    reference = (before if side == "before" else after).reference
                    values = {"name": name, "reference": reference}
                    yield Problem(f"{path}.{side}", "experts.change_of_nobody", values)
    yield from _accounts(changes, before, after)


def _accounts(
    changes: Sequence[ListChange], before: ExpertList, after: ExpertList
) -> Iterator[Problem]:
    old = {each.name: each for each in before.experts}
    new = {each.name: each for each in after.experts}
    left = Counter(name for each in changes for name in each.before)
    come = Counter(name for each in changes for name in each.after)
    for name in [*left, *come]:
        if max(left[name], come[name]) > 1:
            yield Problem("$", "experts.changed_twice", {"name": name})
    for name, was in old.items():
        if name not in left and name not in new:
            yield Problem("$", "experts.gone_unsaid", {"name": name})
        elif was != new.get(name, was) and not left[name] and not come[name]:
            yield Problem("$", "experts.described_unsaid", {"name": name})
    for name in new:
        if name not in come and name not in old:
            yield Problem("$", "experts.new_unsaid", {"name": name})
        elif name in old and bool(left[name]) != bool(come[name]):
            code = "experts.still_there" if left[name] else "experts.was_there"
            yield Problem("$", code, {"name": name})


def _is_names(value: JsonValue) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _refused(problems: list[Problem]) -> InvalidInput:
    return InvalidInput("experts.changes_refused", problems=problems, count=len(problems))
