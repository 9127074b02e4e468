"""`python -I server.py SOCKET OWNER`: imports ms-swift once, and forks for each question.

It leaves when the test run that owns it has.
"""

import gc
import json
import os
import runpy
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path

MODULES = (
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "swift.utils",
    "swift.arguments",
    "swift.dataset",
    "swift.template",
    "swift.rewards",
)
CALM = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}


def serve(path: Path, owner: int) -> None:
    """Answer until the owner is gone."""
    os.environ.update(CALM)
    os.environ["HF_HOME"] = os.environ["MODELSCOPE_CACHE"] = str(path.parent / "caches")
    for name in MODULES:
        import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        listener.settimeout(1)
        while _is_there(owner):
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                _answer(connection)
            connection.close()
    shutil.rmtree(path.parent, ignore_errors=True)


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _answer(connection: socket.socket) -> None:
    """Be the process that was wanted: its words, environment, folder and outputs."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection.setblocking(True)
    begin, outputs, _, _ = socket.recv_fds(connection, 1, 2)
    with connection.makefile("rb") as rest:
        asked = json.loads(begin + rest.readline())
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    threading.Thread(target=_leave_with, args=[connection], daemon=True).start()
    code = _run(asked["words"], asked["environment"], asked["folder"])
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code).encode())
    os._exit(code)


def _run(words: list[str], environment: dict[str, str], folder: str) -> int:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _own_caches(Path(environment.get("HF_HOME", folder)))
    sys.argv[:] = words
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except Exception:  # noqa: BLE001  the edge of a process: its end is told as Python tells it
        traceback.print_exc()
        return 1
    return 0


def _own_caches(home: Path) -> None:
    """Where `datasets` would keep texts, had it been imported with this environment."""
    config = import_module("datasets").config
    config.HF_CACHE_HOME = str(home)
    config.HF_DATASETS_CACHE = home / "datasets"
    config.HF_MODULES_CACHE = str(home / "modules")


def _leave_with(connection: socket.socket) -> None:
    """Whoever asked was killed: nobody waits for an answer."""
    if not connection.recv(1):
        time.sleep(0.1)
        os._exit(70)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    serve(Path(sys.argv[1]), int(sys.argv[2]))
