"""Addresses of our static files, with their content in the address so that caches never lie."""

import hashlib
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"


@cache
def asset(name: str) -> str:
    """The address of a file in `assets/`."""
    digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]
    return f"/assets/{name}?{digest}"


@cache
def modules_version() -> str:
    """A digest over all assets; scripts that import each other share it in their address."""
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def module(name: str) -> str:
    """The address of a script whose own imports are found beside it, in the same version."""
    return f"/assets/{modules_version()}/{name}"
