"""How much of a bundle's validation is nearly in its training, and whether it may be.

Queries that are nearly the same are on one side of a split, by the key of their near-cluster. A
bridge may be on the other, since neither of the two that it is near to can move: that is counted.
So is everything in bundles that were split by equal queries alone, or whose project is not at hand.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import orjson

from exports.checks.lines import Held, Line
from exports.splits import RULE
from labeling.near_search import NearSearch
from schemas.clusters import asked_text
from schemas.leaks import NEAR, LikenessIndex


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int


class NearWrong(NamedTuple):
    """A line that validates, and one that it is nearly the same as and that is trained on."""

    validates: Place
    trains: Place


class _Asked(NamedTuple):
    """A question by the cluster that asks it; without a project, by itself."""

    text: str
    cluster: str


class _Side:
    """The questions of one side of a split, and where each stands."""

    def __init__(self) -> None:
        self.places: dict[_Asked, list[Place]] = {}

    def texts(self, *, but: frozenset[str]) -> dict[str, list[_Asked]]:
        """By their text, without those of some clusters."""
        found: dict[str, list[_Asked]] = {}
        for each in self.places:
            if each.cluster not in but:
                found.setdefault(each.text, []).append(each)
        return found

    def clusters(self) -> set[str]:
        return {each.cluster for each in self.places}


class NearSplit:
    """Gathers what both sides of a split ask."""

    def __init__(self, held: Held) -> None:
        self._training, self._validation = _Side(), _Side()
        sources = held.sources
        self._bridges = sources.bridges if sources is not None else frozenset[str]()
        self._is_judged = sources is not None and held.manifest.get("split") == RULE

    def see(self, line: Line) -> None:
        """A line's dialogue, up to its last question."""
        source = line.source
        if source is not None:
            text = asked_text(source.query.text, orjson.loads(source.query.history))
        else:
            said = [_turn(each) for each in line.row["messages"] if each.get("role") == "user"]
            text = asked_text(said[-1]["content"], said[:-1]) if said else ""
        if text:
            cluster = source.query.cluster if source is not None else text
            side = self._validation if line.is_val else self._training
            place = Place(line.file, line.number)
            side.places.setdefault(_Asked(text, cluster), []).append(place)

    def count(self) -> int | None:
        """Training questions that are near-duplicates of validation; none without validation."""
        if not self._validation.places or not self._training.places:
            return None
        known = self._validation.texts(but=frozenset())
        index = LikenessIndex(sorted(known), NEAR)
        training = self._training.texts(but=frozenset())
        return sum(text in known or index.find(text) is not None for text in training)

    def wrong(self) -> Iterator[NearWrong]:
        """Lines that validate with what is nearly trained on, though neither is a bridge.

        A cluster on both sides is another fault, which another check finds.
        """
        if not self._is_judged:
            return
        both = self._training.clusters() & self._validation.clusters()
        but = self._bridges | both
        training, validation = self._training.texts(but=but), self._validation.texts(but=but)
        for text, found in sorted(_near_of(list(validation), list(training)).items()):
            trains = self._training.places[training[found][0]][0]
            for each in validation[text]:
                yield from (NearWrong(place, trains) for place in self._validation.places[each])


def _near_of(texts: list[str], others: list[str]) -> dict[str, str]:
    """One of the others for each text that is near to any."""
    every, count = [*texts, *others], len(texts)
    is_asked = np.arange(len(every)) < count
    found: dict[str, str] = {}
    for pairs in NearSearch(every, NEAR, is_asked).blocks():
        for pair in zip(pairs.later.tolist(), pairs.before.tolist(), strict=True):
            one, other = sorted(pair)
            if one < count <= other:
                found.setdefault(every[one], every[other])
    return found


def _turn(message: Mapping[str, object]) -> dict[str, str]:
    return {"role": "user", "content": str(message.get("content"))}


class NearCheck(NamedTuple):
    """One kind of fault of a split; `training.{name}` is its sentence."""

    name: str
    find: Callable[[NearSplit], Iterator[NearWrong]]


CHECKS: tuple[NearCheck, ...] = (NearCheck("row_near_other_side", NearSplit.wrong),)
