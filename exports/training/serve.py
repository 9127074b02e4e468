"""Serving a checkpoint on loopback for the length of an evaluation, by `swift deploy`.

The server is a run like any other, with this process for an owner: if the app is killed, the
supervisor takes the server down.
"""

import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from exports.training import launch
from exports.training.ask import INSIDE
from exports.training.outcome import last_lines
from exports.training.process import myself
from schemas.errors import TrainingError
from schemas.settings import Settings
from schemas.training import RunOrder

READY_WITHIN_S = 600
MODEL = "planner"


class Endpoint(NamedTuple):
    """An OpenAI-compatible endpoint: base URL, key and model name."""

    url: str
    key: str
    model: str


@contextmanager
def serving(
    settings: Settings,
    folder: Path,
    *,
    checkpoint: str,
    base_model: str | None,
    with_thinking: bool,
    is_on_cpu: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Generator[Endpoint]:
    """An endpoint of a checkpoint while the block runs; an adapter is put on its base model.

    Seven seconds pass before a tiny model answers.

    Raises:
        TrainingError: `training.serving_failed`, with the last line of the server's log.
    """
    shutil.rmtree(folder, ignore_errors=True)
    order, key = _order(
        settings,
        folder,
        checkpoint=checkpoint,
        base_model=base_model,
        with_thinking=with_thinking,
        is_on_cpu=is_on_cpu,
    )
    launch.prepare(folder, order)
    launch.ensure_started(folder, secrets={"SERVING_KEY": key})
    try:
        yield Endpoint(_ready_url(folder, pause), key, MODEL)
    finally:
        launch.ask_to_stop(folder, at_once=True)
        while launch.look(folder).state not in launch.OVER:
            time.sleep(0.1)


def _order(
    settings: Settings,
    folder: Path,
    *,
    checkpoint: str,
    base_model: str | None,
    with_thinking: bool,
    is_on_cpu: bool,
) -> tuple[RunOrder, str]:
    is_adapter = base_model is not None and (Path(checkpoint) / "adapter_config.json").exists()
    words = ["--model", str(base_model), "--adapters", checkpoint] if is_adapter else []
    words = words or ["--model", checkpoint]
    words += ["--infer_backend", "transformers", "--port", str(_free_port())]
    words += ["--max_batch_size", "8", "--served_model_name", MODEL]
    words += ["--enable_thinking", str(with_thinking).lower(), "--verbose", "false"]
    script = str(INSIDE / "serve.py")
    python = str(launch.trainer_python(settings))
    environment = {"MODELSCOPE_CACHE": str(folder.resolve() / "modelscope"), "OMP_NUM_THREADS": "1"}
    if is_on_cpu:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return RunOrder(
        command=(python, "-I", script, str(folder.resolve() / "port"), *words),
        environment=environment,
        token=token_hex(16),
        needs_checkpoint=False,
        saving_s=1,
        leaving_s=2,
        owner=myself(),
    ), token_hex(24)


def _ready_url(folder: Path, pause: Callable[[float], None]) -> str:
    """The base URL, once the server answers."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and launch.look(folder).state not in launch.OVER:
        if (folder / "port").exists():
            url = f"http://127.0.0.1:{(folder / 'port').read_text('utf-8')}"
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310  loopback
                    return f"{url}/v1"
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
        pause(0.2)
    raise TrainingError("training.serving_failed", line=last_lines(folder, 1))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
