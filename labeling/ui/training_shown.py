"""What the events of the training page answer; the order is the order of their outputs."""

from typing import Any, NamedTuple


class ChainsShown(NamedTuple):
    """The runs, and the one that was picked.

    `seen` is what the page knows by now, so that a tick sends only what is new.
    """

    chains: Any
    chain: Any
    curves: Any
    seen: Any
    beside: Any
    differences: Any
    stop: Any
    stop_at_once: Any
    resume: Any
    picked: Any
    notice: Any


class BesideShown(NamedTuple):
    """Other runs, laid over the one that was picked."""

    curves: Any
    seen: Any
    differences: Any
    notice: Any


class BundlesShown(NamedTuple):
    """Bundles to choose from."""

    bundle: Any
    notice: Any


class CommandsShown(NamedTuple):
    """The command lines of an order."""

    commands: Any
    notice: Any


def offered(state: str) -> dict[str, bool]:
    """What is offered of a run; one that only seems to run, its worker gone, can go on too."""
    is_running = state in {"running", "waiting"}
    return {
        "stop": is_running,
        "stop_at_once": is_running or state == "stopping",
        "resume": state != "succeeded",
    }
