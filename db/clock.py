"""The one place that asks what time it is, so that a test can move the time."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system_time() -> datetime:
    return datetime.now(UTC)


class _Clock:
    def __init__(self) -> None:
        self.source: Callable[[], datetime] = _system_time


_clock = _Clock()


def now() -> datetime:
    """The current time, UTC."""
    return _clock.source()


@contextmanager
def told_by(source: Callable[[], datetime]) -> Generator[None]:
    """Within the block, `source` tells the time to the whole process."""
    before, _clock.source = _clock.source, source
    try:
        yield
    finally:
        _clock.source = before
