"""Another process of our own interpreter; apart from `launch`, since it must start at once."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@contextmanager
def own_process(code: str, stdin: int) -> Generator[None]:
    """Runs `code` with our modules and this standard input; gone at the end of the block."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
