"""Starts the fake endpoint in a process of its own, and asks it what it was asked."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RunningEndpoint:
    """A fake endpoint that listens at `url` (its `/v1`)."""

    url: str

    def counts(self) -> dict[str, Any]:
        """What it was asked: `asked` and `answered` by content, `reply_keys`, `statuses`."""
        return httpx.get(f"{self._root}/counts", trust_env=False).json()

    def configure(self, **behaviour: object) -> None:
        """Change how it behaves from now on."""
        httpx.post(f"{self._root}/config", json=behaviour, trust_env=False).raise_for_status()

    @property
    def _root(self) -> str:
        return self.url.removesuffix("/v1")


@contextmanager
def running_endpoint(**behaviour: object) -> Generator[RunningEndpoint]:
    """A fake endpoint for the time of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.endpoint", "--config", json.dumps(behaviour)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield RunningEndpoint(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()
