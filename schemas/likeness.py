"""How well a short text fits one of several descriptions, by the grams that they share."""

import math
import re
from collections import Counter
from collections.abc import Mapping

from schemas.clusters import normalised

_CHINESE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def grams_of(text: str) -> set[str]:
    """Pairs of characters of a text that is Chinese for a third or more, runs of five elsewhere.

    They weigh about the same: both are a little less than a word.
    """
    length = 2 if 3 * len(_CHINESE.findall(text)) > len(text) else 5
    return {text[start : start + length] for start in range(len(text) - length + 1)}


class Fitness:
    """Holds descriptions by name, and tells how well a text fits each.

    A gram weighs the more the fewer descriptions have it (inverse document frequency), so that
    what all of them say tells nothing. A text fits by the weight of its grams that a description
    has, over the weight of all of its grams that any description has.
    """

    def __init__(self, descriptions: Mapping[str, str]) -> None:
        self._grams = {name: grams_of(normalised(text)) for name, text in descriptions.items()}
        counts = Counter(gram for each in self._grams.values() for gram in each)
        self._weights = {
            gram: math.log((1 + len(descriptions)) / count) for gram, count in counts.items()
        }
        self._known: dict[str, dict[str, float]] = {}

    def of(self, text: str) -> Mapping[str, float]:
        """How well a text fits each description, 0 to 1; 0 everywhere if it shares nothing.

        >>> experts = {"数据": "查询流量和订单", "人群": "圈选老客，发放优惠券"}
        >>> Fitness(experts).of("圈选近90天的老客")
        {'数据': 0.0, '人群': 1.0}
        """
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._fits(grams_of(normalised(text)))
        return known

    def _fits(self, asked: set[str]) -> dict[str, float]:
        whole = sum(self._weights[gram] for gram in asked if gram in self._weights)
        if not whole:
            return dict.fromkeys(self._grams, 0.0)
        return {
            name: sum(self._weights[gram] for gram in asked & mine) / whole
            for name, mine in self._grams.items()
        }
