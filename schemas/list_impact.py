"""What a new version of an expert list means for a plan made under an older one.

Old rows stay as they are under their old list; this tells what moving one to the new list would
take. A plan is `untouched` when every step means the same in both lists; `automatic` when rules
alone rewrite it (an expert renamed, or several merged into one); for `people` when a step could
belong to several experts now (split, retired with a likely heir, described anew); and `lost` when
nobody in the new list does what a step asks.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from schemas.experts import Expert, ExpertList, compare_lists
from schemas.likeness import Fitness
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
    """One step: who does it now, or who could, the likeliest first; nobody when it is lost."""

    fate: Fate
    candidates: tuple[str, ...]


class PlanFate(NamedTuple):
    """A plan: the worst of its steps, and the plan under the new list where rules suffice."""

    fate: Fate
    steps: tuple[StepFate, ...]
    plan: Mapping[str, Any] | None


class ListImpact:
    """Judges plans (canonical plain values) of one version by another; hold one for many plans."""

    def __init__(self, before: ExpertList, after: ExpertList) -> None:
        changes = compare_lists(before, after)
        self._names = after.names
        self.renamed = {each.before.name: each.after.name for each in changes.renamed}
        self.added = {each.name for each in changes.added}
        self.described = {each.after.name: each.before for each in changes.described}
        self._fitness = Fitness({each.name: _all_words(each) for each in after.experts})
        self._was_fit = {
            name: Fitness(
                {each.name: _all_words(each) for each in after.experts} | {_WAS: _all_words(old)}
            )
            for name, old in self.described.items()
        }

    def fate_of(self, plan: Mapping[str, Any]) -> PlanFate:
        """What becomes of a plan that is valid under the older list."""
        steps = tuple(self._step(step) for step in plan["steps"])
        fate = FATES[max((FATES.index(each.fate) for each in steps), default=0)]
        if fate == "untouched":
            return PlanFate(fate, steps, plan)
        if fate == "automatic":
            rewritten = self._rewritten(plan)
            if not plan_problems(rewritten, self._names):
                return PlanFate(fate, steps, rewritten)
            fate = "people"
        return PlanFate(fate, steps, None)

    def _step(self, step: Mapping[str, Any]) -> StepFate:
        name = step["expert"]
        heir = self.renamed.get(name)
        is_same = heir is None and name in self._names and name not in self.described
        if is_same and not self.added:
            return StepFate("untouched", (name,))
        fits = self._fits(step["sub_questions"])
        if heir is not None or name in self._names:
            own = heir or name
            better = [each for each in fits if each in self.added and self._beats(each, own, fits)]
            if better or self._has_given_up(name, step["sub_questions"]):
                others = better or [each for each in fits if each != own and fits[each] > 0]
                return StepFate("people", (*others[:_SHOWN], own))
            return StepFate("automatic" if heir else "untouched", (own,))
        likely = tuple(each for each in fits if fits[each] >= LEAST_FIT)
        return StepFate("people" if likely else "lost", likely[:_SHOWN])

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
        best: dict[str, float] = {}
        for text in sub_questions:
            for name, fit in self._fitness.of(text).items():
                best[name] = max(best.get(name, 0.0), fit)
        return dict(sorted(best.items(), key=lambda each: (-each[1], each[0])))

    def _rewritten(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The plan with experts renamed; who then stands twice in a stage stands there once."""
        steps: list[dict[str, Any]] = []
        places: dict[tuple[int, str], dict[str, Any]] = {}
        for step in plan["steps"]:
            name: str = self.renamed.get(step["expert"]) or step["expert"]
            known = places.get((step["order"], name))
            if known is None:
                places[step["order"], name] = moved = {
                    **step,
                    "expert": name,
                    "sub_questions": list(step["sub_questions"]),
                }
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


def _all_words(expert: Expert) -> str:
    return "\n".join((expert.name, *expert.aliases, expert.description, *expert.inputs))
