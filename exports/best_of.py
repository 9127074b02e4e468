"""Best of n: what a suggestion is worth by the rewards of a recipe, where a query has several.

It is scored as a completion to the row that GRPO would be given: by all rewards where people have
accepted a plan, else by those that need none (form, length and quality of the thinking).
"""

from dataclasses import replace
from typing import Any

from exports.formats import answer_text, grpo_row
from exports.materials import Materials
from schemas.parts import QueryPart
from schemas.recipe import BundleRecipe
from schemas.scoring.context import context_from_row
from schemas.scoring.rewards import score, weighted_total


class BestOf:
    """Scores suggestions for one recipe; the higher, the better."""

    def __init__(self, recipe: BundleRecipe, materials: Materials) -> None:
        self._weights = dict(recipe.weights)
        self._materials = materials

    def score(self, query: QueryPart, plan: Any, trace: str | None, accepted: Any) -> float:
        """The weighted sum, in [0, 1], of the rewards that apply to a suggestion.

        Args:
            query: What was asked.
            plan: The suggestion's, valid under the query's list, in canonical form.
            trace: Its thinking.
            accepted: The plan that people accepted, if they did.
        """
        form = self._materials.form
        material = self._materials.make(query, "suggestions", plan, trace)
        gold = plan if accepted is None else accepted
        context = context_from_row(grpo_row(material._replace(plan=gold), form))
        if accepted is None:
            context = replace(context, gold=None)
        return weighted_total(score(answer_text(material, form), context), self._weights)


def best_of_for(recipe: BundleRecipe, materials: Materials) -> BestOf | None:
    """Who scores for a recipe, if it asks the rewards."""
    return BestOf(recipe, materials) if recipe.prefer == "reward" else None
