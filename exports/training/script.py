"""`train.sh` of a bundle: the stages by hand, as a chain would start them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exports.training.beginning import ADAPTER, begun_from, command_of, files_of
from exports.training.inside.arguments import command_line
from schemas.training_stages import USUAL, Program, TrainingStage

_TEMPLATE = Path(__file__).parent / "recipes" / "train.sh"
_BUILT = """model=${MODEL:-$out/tiny-model}
if [ -z "${MODEL:-}" ] && [ ! -e "$model" ]; then
    mkdir -p "$out"
    "${PYTHON:-python3}" "$here/tiny_model.py" "$model" "$here/sft.jsonl" "$here/grpo.jsonl"
fi"""


def train_script(stages: Sequence[TrainingStage], *, program: Program, model: str | None) -> bytes:
    """The script for these stages; without a model it builds the tiny one."""
    values = {
        "MODEL": f"model=${{MODEL:-{model}}}" if model else _BUILT,
        "STAGES": " ".join(stages),
        "USUAL": " ".join(each for each in stages if each in USUAL),
        "CASES": " | ".join(stages),
        "PROGRAM": program,
        "FUNCTIONS": "\n".join(map(_function, stages)),
    }
    text = _TEMPLATE.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def _function(stage: TrainingStage) -> str:
    """A shell function; its argument is what the stage begins from, if not the model."""
    files = files_of(stage, "$here") | {"output_dir": f"$out/{stage}"}
    return f"""{stage}() {{
    if [ -z "${{1:-}}" ]; then set -- {_words(_begun(stage, is_adapter=None))}
    elif [ -e "$1/{ADAPTER}" ]; then set -- {_words(_begun(stage, is_adapter=True))}
    else set -- {_words(_begun(stage, is_adapter=False))}; fi
    "$swift" {command_of(stage)} "$here/{stage}.yaml" {_words(files)} "$@"
}}"""


def _begun(stage: TrainingStage, *, is_adapter: bool | None) -> Mapping[str, Any]:
    checkpoint = None if is_adapter is None else "$1"
    return begun_from(stage, model="$model", checkpoint=checkpoint, is_adapter=bool(is_adapter))


def _words(arguments: Mapping[str, Any]) -> str:
    """Words for the shell, which fills in its variables."""
    return " ".join(
        word if word.startswith("--") else f'"{word}"' for word in command_line(dict(arguments))
    )
