"""The trainer's interpreter with ms-swift imported already, for tests that ask it a question.

Half of the processor time of all tests went into importing torch and ms-swift some fifty times. So
one process imports them once and forks for each question; a question is still answered by the real
ms-swift, in a process of its own, with the words, environment and folder that it was given. A
training or a server is started by the plain interpreter, as always.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent


def warm_python() -> Path:
    """An interpreter for `PLANWRIGHT_TRAINER_PYTHON`; all workers of one test run share it."""
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = _folder(owner)
    folder.mkdir(mode=0o700, exist_ok=True)
    python = folder / "python"
    if not python.exists():
        unfinished = folder / f"python-{os.getpid()}"
        words = ", ".join(map(repr, (sys.executable, str(_HERE / "server.py"), owner)))
        unfinished.write_text(
            f"#!{sys.executable} -IS\n"
            f"import sys; sys.path.insert(0, {str(_HERE)!r})\n"
            f"from client import main; main({words})\n",
            "utf-8",
        )
        unfinished.chmod(0o755)
        unfinished.rename(python)
        swift = folder / "swift"
        swift.unlink(missing_ok=True)
        swift.symlink_to(Path(sys.executable).with_name("swift"))
    return python


def forget_warm_python() -> None:
    """Take away what this test run has put down; the warm process leaves by itself."""
    shutil.rmtree(_folder(os.getpid()), ignore_errors=True)


def _folder(owner: int) -> Path:
    return Path(tempfile.gettempdir()) / f"planwright-warm-{owner}"
