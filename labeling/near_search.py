"""Near-duplicates among many texts: all against all, in bulk, without comparing all pairs.

The same question as `LikenessIndex` asks of one text (Dice of grams, prefix filtering), asked of a
block of texts at a time. Texts come by their size, the smallest first, so that one that was there
before shares four fifths of its grams with whatever is near it, and is found by fewer of them. How
many of these grams two texts share is a product of sparse matrices.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.gram_rows import GramRows, Numbers

_BLOCK = 512
_SEGMENT = 4096
_AT_ONCE = 16_384
_SHARED = 5
"""How many of their rarest grams two texts must share before they are compared whole."""

Flags = NDArray[np.bool_]


class Pairs(NamedTuple):
    """Texts that are alike enough: each `later` one with one that came `before`, and how much."""

    later: Numbers
    before: Numbers
    likeness: NDArray[np.float64]


class _Segment(NamedTuple):
    """Texts that can be found: their places, and a column of grams each."""

    places: Numbers
    columns: Any


class NearSearch:
    """Finds every pair of texts, of which one is asked for, that are alike enough.

    `is_active` may be changed between blocks: a text that is not is found no more.
    """

    def __init__(self, texts: Sequence[str], near: float, is_asked: Flags | None = None) -> None:
        """Index the texts, which are normalised.

        Args:
            texts: All of them.
            near: From which likeness (Dice, above 0 up to 1) on they count as near.
            is_asked: Of two texts that are not asked for nobody wants to know; all are, by default.
        """
        rows = GramRows.of(texts)
        self._order = np.argsort(rows.sizes, kind="stable")
        self._rows = rows.in_order(self._order)
        self._sizes = self._rows.sizes
        self._near = near
        self.is_active: Flags = np.ones(len(texts), np.bool_)
        asked = np.ones(len(texts), np.bool_) if is_asked is None else is_asked
        self._is_asked = asked[self._order]
        least = near / (2 - near)
        # Of a text with a smaller one, and of a text with a larger one.
        self._looks, self._needed = self._prefixes(least)
        self._shown, self._offered = self._prefixes(near)
        self._fewest = self._sizes * least - 1e-9

    def blocks(self) -> Iterator[Pairs]:
        """The pairs, a block of later texts at a time; each pair once.

        Of a block come first the pairs with earlier blocks, then those within it.
        """
        asked, others = _Index(self._columns), _Index(self._columns)
        first = int(np.searchsorted(self._sizes, 1))
        for start in range(first, len(self._sizes), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(self._sizes)))
            yield self._met(block, asked.segments())
            mine = block[self._is_asked[block]]
            yield self._met(mine, others.segments())
            block = block[self.is_active[self._order[block]]]
            yield self._met(block, [_Segment(block, self._columns(block))])
            block = block[self.is_active[self._order[block]]]
            asked.add(block[self._is_asked[block]])
            others.add(block[~self._is_asked[block]])

    def _met(self, block: Numbers, segments: Sequence[_Segment]) -> Pairs:
        """Pairs of some texts with those of some segments."""
        later, before = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        if len(block):
            lines = self._matrix(block, self._looks)
            for segment in segments:
                found = self._candidates(block, lines, segment)
                later.append(found[0])
                before.append(found[1])
        return self._alike(np.concatenate(later), np.concatenate(before))

    def _candidates(self, block: Numbers, lines: Any, segment: _Segment) -> tuple[Numbers, Numbers]:
        sizes, last = self._sizes, segment.places[-1]
        if sizes[last] < self._fewest[block[0]]:
            return block[:0], block[:0]
        shared = lines @ segment.columns
        least = min(self._needed[block].min(), self._offered[segment.places].min())
        enough = np.flatnonzero(shared.data >= least)
        later = block[np.searchsorted(shared.indptr, enough, side="right") - 1]
        before = segment.places[shared.indices[enough]]
        kept = (before < later) & (sizes[before] >= self._fewest[later])
        kept &= self._is_asked[before] | self._is_asked[later]
        kept &= self.is_active[self._order[before]] & self.is_active[self._order[later]]
        return later[kept], before[kept]

    def _alike(self, later: Numbers, before: Numbers) -> Pairs:
        likeness = np.empty(len(later))
        for start in range(0, len(later), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            likeness[some] = self._likeness(later[some], before[some])
        kept = likeness >= self._near
        order = self._order
        return Pairs(order[later[kept]], order[before[kept]], likeness[kept])

    def _likeness(self, later: Numbers, before: Numbers) -> NDArray[np.float64]:
        """Dice: what stands in both sets stands twice, side by side, once all of it is sorted."""
        width = int(self._sizes[later].max())
        both = np.empty((len(later), 2 * width), np.int32)
        places = np.arange(width)
        for first, texts, filler in ((0, later, -1), (width, before, -1 - width)):
            here = np.minimum(self._rows.starts[texts][:, None] + places, len(self._rows.grams) - 1)
            is_own = places < self._sizes[texts][:, None]
            both[:, first : first + width] = np.where(
                is_own, self._rows.grams[here], filler - places
            )
        both.sort(axis=1)
        shared = (both[:, 1:] == both[:, :-1]).sum(axis=1)
        return 2 * shared / (self._sizes[later] + self._sizes[before])

    def _prefixes(self, share: float) -> tuple[Numbers, Numbers]:
        """How many of its rarest grams stand for a text, and how many of them must be shared."""
        least = np.ceil(share * self._sizes - 1e-9).astype(np.int64)
        shared = np.minimum(_SHARED, least)
        return np.minimum(self._sizes, self._sizes - least + shared), shared

    def _columns(self, places: Numbers) -> Any:
        return self._matrix(places, self._shown).T.tocsr()

    def _matrix(self, places: Numbers, counts: Numbers) -> Any:
        """The first grams of some texts, a line each."""
        # Most commands never compare, and would start a quarter of a second later.
        from scipy.sparse import csr_matrix  # noqa: PLC0415

        lengths = counts[places]
        starts = np.zeros(len(places) + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        shift = np.repeat(self._rows.starts[places] - starts[:-1], lengths)
        grams = self._rows.grams[np.arange(starts[-1]) + shift]
        shape = (len(places), self._rows.kinds)
        return csr_matrix((np.ones(len(grams), np.int32), grams, starts), shape=shape)


class _Index:
    """Texts that were there before, in segments; the last one grows."""

    def __init__(self, columns: Any) -> None:
        self._columns = columns
        self._sealed: list[_Segment] = []
        self._open: list[Numbers] = []

    def add(self, places: Numbers) -> None:
        """Let some texts be found."""
        if len(places):
            self._open.append(places)
        if sum(map(len, self._open)) >= _SEGMENT:
            self._sealed.append(self._segment())
            self._open = []

    def segments(self) -> list[_Segment]:
        """Everything that can be found."""
        return [*self._sealed, self._segment()] if self._open else self._sealed

    def _segment(self) -> _Segment:
        places = np.concatenate(self._open)
        return _Segment(places, self._columns(places))
