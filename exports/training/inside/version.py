"""Which ms-swift the trainer has."""

from importlib.metadata import version


def answer(package: str) -> dict[str, str]:
    """Its version; nothing is imported."""
    return {"version": version(package)}
