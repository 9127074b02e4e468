"""What `exports.chance` says of one name, said of many at once."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def shares(seed: int, purpose: str, names: Iterable[str]) -> NDArray[np.float64]:
    """`exports.chance.cluster_share` of many: where in [0, 1) each falls for a purpose."""
    return hashes(seed, purpose, names).astype(np.float64) / 2.0**64


def hashes(seed: int, purpose: str, names: Iterable[str]) -> NDArray[np.uint64]:
    """The hash of each that stands for chance."""
    begin = f"{seed} {purpose} ".encode()
    digests = [blake2b(begin + each.encode(), digest_size=8).digest() for each in names]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)
