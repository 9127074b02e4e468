"""How long the fake endpoint takes, known before it is asked."""

import hashlib


def latency_of(query: str, mean_s: float, spread: float) -> float:
    """How long a query takes: evenly between `1 - spread` and `1 + spread` times the mean."""
    place = int.from_bytes(hashlib.sha256(query.encode()).digest()[:6], "big") / 2**48
    return mean_s * (1 + spread * (2 * place - 1))
