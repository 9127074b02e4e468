"""Which scoring this is: the sources themselves, and their hash on every run and evaluation."""

import hashlib
from functools import cache
from pathlib import Path


def scoring_files() -> dict[str, bytes]:
    """The modules of this package by file name, as a bundle carries them."""
    return {path.name: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))}


@cache
def source_hash() -> str:
    """SHA-256 over names and contents of the scoring modules."""
    digest = hashlib.sha256()
    for name, content in scoring_files().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
