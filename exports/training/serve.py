"""`swift deploy` as a run of its own: what is started, and where it answers.

A server for the length of an evaluation has this process for an owner: if the app is killed, the
supervisor takes the server down. One that is deployed (`exports.training.deployments`) has none,
and outlives the app.
"""

import os
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
from schemas.serving import Backend
from schemas.settings import Settings
from schemas.training import ProcessIdentity, RunOrder

READY_WITHIN_S = 600
MODEL = "planner"
LOOPBACK = "127.0.0.1"
PORT_FILE = "port"
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared, not bound


class Endpoint(NamedTuple):
    """An OpenAI-compatible endpoint: base URL, key and model name."""

    url: str
    key: str
    model: str


class Served(NamedTuple):
    """What is served: a checkpoint, put on its base model where it is an adapter."""

    checkpoint: str
    base_model: str | None
    with_thinking: bool
    is_on_cpu: bool


class Place(NamedTuple):
    """Where and how it is served; `devices` as `CUDA_VISIBLE_DEVICES` has them."""

    host: str = LOOPBACK
    port: int | None = None
    """This port and no other; any free one without."""
    backend: Backend = "transformers"
    devices: str | None = None


@contextmanager
def serving(
    settings: Settings,
    folder: Path,
    served: Served,
    pause: Callable[[float], None] = time.sleep,
    *,
    devices: str | None = None,
) -> Generator[Endpoint]:
    """An endpoint on loopback while the block runs.

    Seven seconds pass before a tiny model answers.

    Raises:
        TrainingError: `training.serving_failed`, with the last line of the server's log.
    """
    shutil.rmtree(folder, ignore_errors=True)
    key = new_key()
    launch.prepare(
        folder, server_order(settings, folder, served, Place(devices=devices), owner=myself())
    )
    start_server(folder, key)
    try:
        yield Endpoint(_ready_url(folder, pause), key, MODEL)
    finally:
        launch.ask_to_stop(folder, at_once=True)
        while launch.look(folder).state not in launch.OVER:
            time.sleep(0.1)


def server_order(
    settings: Settings,
    folder: Path,
    served: Served,
    place: Place,
    *,
    owner: ProcessIdentity | None = None,
) -> RunOrder:
    """What a supervisor shall start; prompts are rendered as they were for training."""
    is_adapter = (
        served.base_model is not None and (Path(served.checkpoint) / "adapter_config.json").exists()
    )
    words = ["--model", str(served.base_model), "--adapters", served.checkpoint]
    words = words if is_adapter else ["--model", served.checkpoint]
    words += ["--infer_backend", place.backend]
    if place.backend == "transformers":
        words += ["--max_batch_size", "8"]
    elif place.devices and "," in place.devices:
        words += ["--vllm_tensor_parallel_size", str(place.devices.count(",") + 1)]
    words += ["--served_model_name", MODEL, "--verbose", "false", "--log_interval", "-1"]
    words += ["--enable_thinking", str(served.with_thinking).lower()]
    words += ["--host", place.host, "--port", str(place.port or _free_port())]
    environment = {"MODELSCOPE_CACHE": str(folder.resolve() / "modelscope"), "OMP_NUM_THREADS": "1"}
    if served.is_on_cpu or place.devices is not None:
        environment["CUDA_VISIBLE_DEVICES"] = "" if served.is_on_cpu else str(place.devices)
    python, script = str(launch.trainer_python(settings)), str(INSIDE / "serve.py")
    port_file = str(folder.resolve() / PORT_FILE)
    return RunOrder(
        command=(python, "-I", script, port_file, "exact" if place.port else "any", *words),
        environment=environment,
        token=token_hex(16),
        needs_checkpoint=False,
        saving_s=1,
        leaving_s=3,
        owner=owner,
    )


def start_server(folder: Path, key: str) -> None:
    """Give a prepared folder its supervisor, unless it has or had one."""
    launch.ensure_started(folder, secrets={"SERVING_KEY": key})


def new_key() -> str:
    """A key that nobody can guess."""
    return token_hex(24)


def find_url(folder: Path, host: str) -> str | None:
    """The base URL of a server, once its port is known; where it listens anywhere, by loopback."""
    path = folder / PORT_FILE
    if not path.exists():
        return None
    name = LOOPBACK if host in ANYWHERE else host
    return f"http://{f'[{name}]' if ':' in name else name}:{path.read_text('utf-8')}/v1"


def answers(url: str, timeout_s: float = 1.0) -> bool:
    """Whether a server says that it is well."""
    try:
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/health", timeout=timeout_s):  # noqa: S310  our own
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def is_free(host: str, port: int) -> bool:
    """Whether this process could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def keep_key(folder: Path, key: str) -> None:
    """Write the key where only this user reads it; never over one that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as it:
        it.write(key)


def find_key(folder: Path) -> str | None:
    """The key of a server that has not been ended."""
    try:
        return (folder / "key").read_text("utf-8")
    except FileNotFoundError:
        return None


def forget_key(folder: Path) -> None:
    """A key opens nothing any more once its server is over."""
    (folder / "key").unlink(missing_ok=True)


def _ready_url(folder: Path, pause: Callable[[float], None]) -> str:
    """The base URL, once the server answers."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and launch.look(folder).state not in launch.OVER:
        url = find_url(folder, LOOPBACK)
        if url is not None and answers(url, timeout_s=5):
            return url
        pause(0.2)
    raise TrainingError("training.serving_failed", line=last_lines(folder, 1))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])
