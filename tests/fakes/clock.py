"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the same time until `move`."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, *, seconds: float = 0, minutes: float = 0) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds, minutes=minutes)
