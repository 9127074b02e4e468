"""Many texts as sets of numbered grams, the rarest first: `grams_of` for all of them at once."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_AT_ONCE = 8192
_MIX = np.uint64(0x9E3779B97F4A7C15)
_LONG = np.uint64(1 << 63)
_CHINESE = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF))


class GramRows(NamedTuple):
    """The grams of text `n` are `grams[starts[n]:starts[n + 1]]`, rising; small numbers are rare.

    A text too short for any gram has itself as its only one, so that equal texts are alike; an
    empty text has none. Grams are told apart by hashes of 64 bits.
    """

    starts: Numbers
    grams: NDArray[np.int32]
    kinds: int

    @property
    def sizes(self) -> Numbers:
        """How many grams each text has."""
        return np.diff(self.starts)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """The grams of normalised texts."""
        chunks = [_hashed(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
        every = np.concatenate([np.zeros(0, np.uint64), *(hashed for hashed, _ in chunks)])
        kinds, counts = np.unique(every, return_counts=True)
        width = max(1, len(kinds))
        del every
        ranks = np.empty(len(kinds), np.int64)
        ranks[np.argsort(counts, kind="stable")] = np.arange(len(kinds))
        grams, sizes = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for number, (hashed, row) in enumerate(chunks):
            texts_here = min(_AT_ONCE, len(texts) - number * _AT_ONCE)
            both = row * width + ranks[np.searchsorted(kinds, hashed)]
            both.sort()  # `np.unique` of numpy 2.4 takes ten times as long
            both = both[np.diff(both, prepend=-1) > 0]
            grams.append((both % width).astype(np.int32))
            sizes.append(np.bincount(both // width, minlength=texts_here))
        starts = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.concatenate(sizes), out=starts[1:])
        return cls(starts, np.concatenate(grams), width)

    def in_order(self, order: Numbers) -> Self:
        """The same texts in another order."""
        sizes = self.sizes[order]
        starts = np.zeros(len(order) + 1, np.int64)
        np.cumsum(sizes, out=starts[1:])
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][order] - starts[:-1], sizes)
        return self._replace(starts=starts, grams=self.grams[places])


def _hashed(texts: Sequence[str]) -> tuple[Hashes, Numbers]:
    """The grams of some texts, doubles included, and of which text each is."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths)
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    row = np.repeat(np.arange(len(texts)), lengths)
    chinese = np.zeros(len(points), np.bool_)
    for low, high in _CHINESE:
        chinese |= (points >= low) & (points <= high)
    is_chinese = 3 * np.bincount(row, chinese, len(texts)) > lengths
    size = np.where(is_chinese, 2, 5)[row]
    is_whole = np.arange(len(points)) + size <= ends[row]
    padded = np.concatenate([points, np.zeros(4, np.uint32)]).astype(np.uint64)
    pairs = padded[:-4] * _MIX + padded[1:-3]
    longs = ((pairs * _MIX + padded[2:-2]) * _MIX + padded[3:-1]) * _MIX + padded[4:]
    hashes = np.where(size == 2, pairs & ~_LONG, longs | _LONG)[is_whole]
    of_row = row[is_whole]
    is_short = (np.bincount(of_row, minlength=len(texts)) == 0) & (lengths > 0)
    short: list[int] = np.flatnonzero(is_short).tolist()
    whole = [int.from_bytes(blake2b(texts[n].encode(), digest_size=8).digest()) for n in short]
    return (
        np.concatenate([hashes, np.array(whole, np.uint64)]),
        np.concatenate([of_row, np.array(short, np.int64)]),
    )
