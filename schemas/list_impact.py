"""What a new version of an expert list means for a plan made under an older one.

Old rows stay as they are under their old list; this tells what moving one to the new list would
take. A plan is `untouched` when every step means the same in both lists; `automatic` when rules
alone rewrite it (an expert renamed, or several merged into one); for `people` when a step could
belong to several experts now (split, retired with a likely heir, described anew); and `lost` when
nobody in the new list does what a step asks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from schemas.change_proposals import propose_changes
from schemas.experts import Expert, ExpertList
from schemas.likeness import Fitness
from schemas.list_changes import ChangeKind, ListChange
from schemas.scoring.check import plan_problems

Fate = Literal["untouched", "automatic", "people", "lost"]
FATES: tuple[Fate, ...] = ("untouched", "automatic", "people", "lost")
LEAST_FIT = 0.25
"""Below this nobody of the new list does what a step asks."""
_MARGIN = 0.15
"""By so much a new expert must fit better than the old one before people are asked."""
_SHOWN = 3
_WAS = "\0was"


class StepFate(NamedTuple):
    """One step: who does it now, or who could, the likeliest first; nobody when it is lost.

    `rule` is the change that touches it.
    """

    fate: Fate
    candidates: tuple[str, ...]
    rule: ChangeKind | None = None


class PlanFate(NamedTuple):
    """A plan: the worst of its steps, and the plan under the new list where rules suffice."""

    fate: Fate
    steps: tuple[StepFate, ...]
    plan: Mapping[str, Any] | None

    @property
    def rule(self) -> ChangeKind | None:
        """The change that decides the fate: of the worst step, of several the first."""
        worst = max(self.steps, key=lambda each: FATES.index(each.fate), default=None)
        return None if worst is None else worst.rule


class ListImpact:
    """Judges plans (canonical plain values) of one version by another; hold one for many plans.

    Without recorded changes, it goes by those that the two lists suggest.
    """

    def __init__(
        self, before: ExpertList, after: ExpertList, changes: Sequence[ListChange] | None = None
    ) -> None:
        self.changes = tuple(propose_changes(before, after) if changes is None else changes)
        self._names = after.names
        self._heirs = dict(_heirs(self.changes))
        self._parts = {e.before[0]: e.after for e in self.changes if e.kind == "split"}
        old = {each.name: each for each in before.experts}
        come = {name for e in self.changes if e.kind in ("add", "split") for name in e.after}
        self._added = come - old.keys()
        self._described = {
            each.name: old[each.name]
            for each in after.experts
            if each.name in old and each != old[each.name]
        }
        words = {each.name: _all_words(each) for each in after.experts}
        self._fitness = Fitness(words)
        self._was_fit = {
            name: Fitness(words | {_WAS: _all_words(was)}) for name, was in self._described.items()
        }

    def fate_of(self, plan: Mapping[str, Any]) -> PlanFate:
        """What becomes of a plan that is valid under the older list."""
        steps = tuple(self._step(step) for step in plan["steps"])
        fate = FATES[max((FATES.index(each.fate) for each in steps), default=0)]
        if fate == "untouched":
            return PlanFate(fate, steps, plan)
        if fate == "automatic":
            rewritten = with_experts(plan, [each.candidates[0] for each in steps])
            if not plan_problems(rewritten, self._names):
                return PlanFate(fate, steps, rewritten)
            fate = "people"
        return PlanFate(fate, steps, None)

    def candidate_plans(self, plan: Mapping[str, Any], found: PlanFate) -> list[dict[str, Any]]:
        """What people may choose from: valid plans of the likeliest, of the next likeliest, ….

        None where somebody is missing, since nothing is filled in.
        """
        if not all(each.candidates for each in found.steps):
            return []
        plans: list[dict[str, Any]] = []
        for place in range(max((len(each.candidates) for each in found.steps), default=0)):
            names = [each.candidates[min(place, len(each.candidates) - 1)] for each in found.steps]
            made = with_experts(plan, names)
            if made not in plans and not plan_problems(made, self._names):
                plans.append(made)
        return plans

    def _step(self, step: Mapping[str, Any]) -> StepFate:
        name = step["expert"]
        if name in self._parts:
            return self._split(name, step["sub_questions"])
        heir = self._heirs.get(name)
        is_same = heir is None and name in self._names and name not in self._described
        if is_same and not self._added:
            return StepFate("untouched", (name,))
        fits = self._fits(step["sub_questions"])
        if heir is None and name not in self._names:
            likely = tuple(each for each in fits if fits[each] >= LEAST_FIT)
            return StepFate("people" if likely else "lost", likely[:_SHOWN], "retire")
        own = heir[0] if heir else name
        better = [each for each in fits if each in self._added and self._beats(each, own, fits)]
        if better or self._has_given_up(name, step["sub_questions"]):
            others = better or [each for each in fits if each != own and fits[each] > 0]
            return StepFate("people", (*others[:_SHOWN], own), "add" if better else "describe")
        if heir is None:
            return StepFate("untouched", (own,))
        return StepFate("automatic", (own,), heir[1])

    def _split(self, name: str, sub_questions: list[str]) -> StepFate:
        """A step of an expert whose work several do now: for people, unless it clearly stays."""
        fits = self._fits(sub_questions)
        ranked = sorted(self._parts[name], key=lambda each: (-fits[each], each == name))
        others = [fits[each] for each in ranked if each != name]
        own = fits[name] if name in ranked else -1.0
        if own >= LEAST_FIT and all(own >= fit + _MARGIN for fit in others):
            return StepFate("untouched", (name,), "split")
        return StepFate("people", tuple(ranked[:_SHOWN]), "split")

    def _beats(self, other: str, own: str, fits: Mapping[str, float]) -> bool:
        return fits[other] >= LEAST_FIT and fits[other] >= fits.get(own, 0.0) + _MARGIN

    def _has_given_up(self, name: str, sub_questions: list[str]) -> bool:
        """Whether an expert's old description had words for this that no description has now."""
        fitness = self._was_fit.get(name)
        if fitness is None:
            return False
        for text in sub_questions:
            fits = dict(fitness.of(text))
            was = fits.pop(_WAS)
            if was >= max(LEAST_FIT, fits[name] + 2 * _MARGIN):
                return True
        return False

    def _fits(self, sub_questions: list[str]) -> dict[str, float]:
        """How well each expert fits what is asked, by its best sub-question, the best first."""
        best: dict[str, float] = dict.fromkeys(self._names, 0.0)
        for text in sub_questions:
            for name, fit in self._fitness.of(text).items():
                best[name] = max(best[name], fit)
        return dict(sorted(best.items(), key=lambda each: (-each[1], each[0])))


def with_experts(plan: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A plan whose steps have these experts; who then stands twice in a stage stands there once."""
    steps: list[dict[str, Any]] = []
    places: dict[tuple[int, str], dict[str, Any]] = {}
    for step, name in zip(plan["steps"], names, strict=True):
        known = places.get((step["order"], name))
        if known is None:
            asked = list(step["sub_questions"])
            moved = {**step, "expert": name, "sub_questions": asked}
            places[step["order"], name] = moved
            steps.append(moved)
        else:
            known["sub_questions"] += step["sub_questions"]
    return {**plan, "steps": steps}


class ImpactCounts(NamedTuple):
    """Plans by fate."""

    untouched: int = 0
    automatic: int = 0
    people: int = 0
    lost: int = 0

    @classmethod
    def of(cls, counts: Counter[Fate]) -> "ImpactCounts":
        """From what was counted."""
        return cls(*(counts[fate] for fate in FATES))

    @property
    def total(self) -> int:
        """All plans looked at."""
        return sum(self)

    @property
    def touched(self) -> int:
        """Those that would have to change."""
        return self.total - self.untouched


def _heirs(changes: Sequence[ListChange]) -> dict[str, tuple[str, ChangeKind]]:
    """Older name → the name that stands for it now, and why; of renames and merges."""
    return {
        name: (each.after[0], each.kind)
        for each in changes
        if each.kind in ("rename", "merge")
        for name in each.before
        if name != each.after[0]
    }


def _all_words(expert: Expert) -> str:
    return "\n".join((expert.name, *expert.aliases, expert.description, *expert.inputs))
