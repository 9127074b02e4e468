"""What looks like chance in an export: a hash of the seed and an id, the same at any time."""

from hashlib import blake2b

_TOP = 2.0**64
FOR_GRPO = 0.5
"""The share of what both pools want that is for GRPO."""


def cluster_share(seed: int, purpose: str, cluster: str) -> float:
    """Where in [0, 1) a cluster falls for a purpose."""
    digest = blake2b(f"{seed} {purpose} {cluster}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _TOP


def is_for_grpo(seed: int, key: str) -> bool:
    """Whose the rows of a near-cluster are that both pools want of reviewed rows: half and half."""
    return cluster_share(seed, "pool", key) < FOR_GRPO


def is_plain(seed: int, plain_share: float, cluster: str) -> bool:
    """Whether the rows of a cluster are written without thinking, in a recipe that mixes."""
    return plain_share > 0 and cluster_share(seed, "plain", cluster) < plain_share
