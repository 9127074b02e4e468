"""Whether a query is a benchmark's or a gold one in other clothes: the leak guard of exports.

Four looks, from cheap to dear: the text itself, its normalised form, its rewrite, and near
duplicates by character grams of the normalised form (Dice's coefficient over pairs of characters in
Chinese and runs of five elsewhere, which weigh about the same). Dialogue history is left out on
purpose: a question asked after other words is still the question that is evaluated.

Near duplicates are found by prefix filtering (Bayardo, Ma, Srikant 2007; Wang, Li, Feng 2012): sets
that are alike enough must share several of their rarest grams, so that a look at a few of its grams
clears most queries.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Literal, NamedTuple, Protocol

import numpy as np

from schemas.clusters import normalised
from schemas.likeness import grams_of

NEAR = 0.8
_SHARED = 8
"""How many of their rarest grams two texts must share before they are compared whole."""
_MANY = 400

LeakKind = Literal["exact", "normalised", "rewrite", "near"]


class Asked(Protocol):
    """Anything with the text of a query."""

    @property
    def text(self) -> str:
        """What was asked."""
        ...


class GuardedQuestion(NamedTuple):
    """A question to evaluate with; `reference` says of which benchmark, as NAME@N, or `gold`."""

    question_id: str
    reference: str
    text: str
    rewrite: str | None = None


class Leak(NamedTuple):
    """Which question of a benchmark a query is, by which look, and how alike (0 to 1]."""

    kind: LeakKind
    question: GuardedQuestion
    likeness: float


class BenchmarkGuard:
    """Holds the questions of all benchmarks of a project and knows them again."""

    def __init__(self, questions: Iterable[GuardedQuestion], *, near: float = NEAR) -> None:
        """Index the questions.

        Args:
            questions: What must stay out of bundles.
            near: From which likeness (Dice, above 0 up to 1) a query counts as the same question.
        """
        self._texts: dict[str, GuardedQuestion] = {}
        self._normalised: dict[str, GuardedQuestion] = {}
        self._rewrites: dict[str, GuardedQuestion] = {}
        for question in questions:
            self._texts.setdefault(question.text.strip(), question)
            for place, text in (
                (self._normalised, question.text),
                (self._rewrites, question.rewrite or ""),
            ):
                form = normalised(text)
                if form:
                    place.setdefault(form, question)
        self._index = LikenessIndex(self._normalised, near)
        self._last: tuple[str, Leak | None] = ("", None)

    def is_leak(self, query: Asked, rewrite: str | None = None) -> bool:
        """Whether a query, by itself or by the rewrite of its plan, must stay out of a bundle."""
        return self.find_leak(query.text, rewrite) is not None

    def find_leak(self, text: str, rewrite: str | None = None) -> Leak | None:
        """The question that a query is, if any."""
        if not self._texts:
            return None
        if self._last[0] != text:  # several suggestions of one query come one after the other
            self._last = (text, self._find_text(text))
        leak = self._last[1]
        if leak is not None or rewrite is None:
            return leak
        form = normalised(rewrite)
        question = self._rewrites.get(form) or self._normalised.get(form)
        return Leak("rewrite", question, 1.0) if question else None

    def _find_text(self, text: str) -> Leak | None:
        question = self._texts.get(text.strip())
        if question:
            return Leak("exact", question, 1.0)
        form = normalised(text)
        question = self._normalised.get(form)
        if question:
            return Leak("normalised", question, 1.0)
        question = self._rewrites.get(form)
        if question:
            return Leak("rewrite", question, 1.0)
        found = self._index.find(form)
        return Leak("near", self._normalised[found[0]], found[1]) if found else None


class LikenessIndex:
    """Finds a text that is alike enough, by the rarest of its grams; texts are normalised."""

    def __init__(self, texts: Iterable[str], near: float) -> None:
        self._near = near
        self._least_share = near / (2 - near)
        grams = {text: each for text in texts if (each := grams_of(text))}
        counts = Counter(gram for each in grams.values() for gram in each)
        rarest_first = sorted(counts, key=lambda gram: (counts[gram], gram))
        self._ranks = {gram: rank for rank, gram in enumerate(rarest_first)}
        self._texts = list(grams)
        self._sets: list[frozenset[int]] = []
        by_rank: list[list[int]] = [[] for _ in rarest_first]
        for number, each in enumerate(grams.values()):
            ranks = sorted(self._ranks[gram] for gram in each)
            self._sets.append(frozenset(ranks))
            for rank in ranks[: len(ranks) - self._least(len(ranks)) + _SHARED]:
                by_rank[rank].append(number)
        self._by_rank = by_rank
        self._arrays = [np.array(each, np.int32) for each in by_rank]

    def find(self, text: str) -> tuple[str, float] | None:
        """A text that is alike enough, and how much; none if there is none."""
        grams = grams_of(text)
        size, least = len(grams), self._least(len(grams))
        known = self._ranks
        ranks = sorted([known[gram] for gram in grams if gram in known])
        if not ranks or len(ranks) < least:
            return None
        shared = min(_SHARED, least)
        # Grams that no question has come first in the order, being the rarest of all.
        looks = ranks[: len(ranks) - least + shared]
        mine, sets, near = set(ranks), self._sets, self._near
        # Sets of other sizes than these share too little, whatever is in them.
        fewest, most = near * size / (2 - near) - 1e-9, size * (2 - near) / near + 1e-9
        for number in self._candidates(looks, shared):
            other = sets[number]
            if fewest <= len(other) <= most:
                likeness = 2 * len(mine & other) / (size + len(other))
                if likeness >= near:
                    return self._texts[number], likeness
        return None

    def _candidates(self, looks: Sequence[int], shared: int) -> Iterable[int]:
        """Texts with at least so many of these grams; the likeliest first where there are many."""
        lists = [self._by_rank[rank] for rank in looks]
        if sum(map(len, lists)) < _MANY:
            counted = Counter(chain.from_iterable(lists))
            return [number for number, count in counted.items() if count >= shared]
        counts = np.bincount(np.concatenate([self._arrays[rank] for rank in looks]))
        enough = (counts >= shared).nonzero()[0]
        likeliest: list[int] = enough[(-counts[enough]).argsort(kind="stable")].tolist()
        return likeliest

    def _least(self, size: int) -> int:
        """How many grams any set that is alike shares with one of this size."""
        return math.ceil(self._least_share * size - 1e-9)
