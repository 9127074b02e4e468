"""Questions to the trainer's own interpreter; the answers are plain values."""

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from exports.training.launch import trainer_python
from schemas.errors import TrainingError
from schemas.settings import Settings

INSIDE = Path(__file__).parent / "inside"
TOLD = ("plugin", "bench")
"""Parts whose errors are told by those who ask."""
DATASETS = ("sft.jsonl", "agent.jsonl", "grpo.jsonl")
TINY_MODEL = Path(__file__).parent / "tiny_model.py"


def ask_trainer(settings: Settings, **parts: Any) -> dict[str, Any]:
    """What ms-swift says to the parts of a request (see `inside/__main__.py`).

    Its caches, which would hold annotators' texts, live in a folder that is gone afterwards. Five
    seconds go to the imports alone.

    Raises:
        TrainingError: `training.trainer_unusable`, or `training.trainer_refused` for a part.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="ask-") as name:
        folder = Path(name)
        request = folder / "request.json"
        result = folder / "result.json"
        request.write_text(json.dumps({**parts, "result": str(result)}), "utf-8")
        _run(settings, [str(INSIDE), str(request)], folder)
        answers: dict[str, Any] = json.loads(result.read_text("utf-8"))
    for part, said in answers.items():
        if isinstance(said, dict) and said.get("error") and part not in TOLD:  # pyright: ignore[reportUnknownMemberType]
            raise TrainingError("training.trainer_refused", part=part, line=said["error"])
    return answers


def tiny_model(settings: Settings, bundle: Path) -> Path:
    """The folder of the tiny model for a bundle, whose phrases its tokenizer knows.

    Built on first use (four seconds) and kept in `home/models`.
    """
    folder, *datasets = tiny_model_words(settings, bundle)
    if not Path(folder).exists():
        _run(settings, [str(TINY_MODEL), folder, *datasets], Path(folder).parent)
    return Path(folder)


def tiny_model_words(settings: Settings, bundle: Path) -> list[str]:
    """The words for the script that builds it: its folder, and the datasets that it learns from.

    Who asks about rows hands them on; built where ms-swift is started anyway, it takes one second.
    """
    datasets = [path for name in DATASETS if (path := bundle.resolve() / name).exists()]
    digest = hashlib.sha256()
    for path in (TINY_MODEL, *datasets):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    folder = (settings.home / "models" / f"tiny-{digest.hexdigest()[:12]}").resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    return [str(folder), *map(str, datasets)]


def _run(settings: Settings, words: list[str], folder: Path) -> None:
    """A script in the trainer's interpreter, isolated from the application."""
    python = trainer_python(settings)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PLANWRIGHT_")
    } | {
        "MODELSCOPE_CACHE": str(folder / "modelscope"),
        "HF_HOME": str(folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        done = subprocess.run(
            [str(python), "-I", *words],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise TrainingError("training.trainer_missing", python=str(python)) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        line = said[-1] if said else str(done.returncode)
        raise TrainingError("training.trainer_unusable", python=str(python), line=line)
