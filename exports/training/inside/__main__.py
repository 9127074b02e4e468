"""Questions that only ms-swift itself can answer, asked in the trainer's own interpreter.

`python -I exports/training/inside REQUEST.json`: the request names its parts (a module each) and
the file for the answer. Isolated, it sees nothing of the application, just as a trainer does not;
so nothing in this folder imports from outside it.
"""

import gc
import json
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to each part that is asked; one that breaks says `error`, the others stand."""
    answers: dict[str, Any] = {}
    for part in ("version", "fields", "machine", "arguments", "plugin", "bench", "rows"):
        if part in request:
            try:
                answers[part] = import_module(part).answer(request[part])
            except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is told
                traceback.print_exc()
                answers[part] = {"error": f"{type(error).__name__}: {error}"}
    return answers


if __name__ == "__main__":
    gc.set_threshold(50_000)  # what the imports make stays: looking for garbage costs a sixth more
    sys.dont_write_bytecode = True  # a bundle is frozen: its plugin leaves no cache beside it
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Path(asked["result"]).write_text(json.dumps(answer(asked), ensure_ascii=False), "utf-8")
