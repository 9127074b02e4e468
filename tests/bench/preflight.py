"""How long preflight takes on 2,000 rows, beside the trainer's imports alone."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exports.training.ask import tiny_model
from exports.training.preflight import Plan, preflight
from exports.training.recipes import get_recipe, stage_arguments
from schemas.settings import Settings
from schemas.training import TrainingStage
from tests.bench.figures import Figure, report
from tests.bundles import a_bundle_folder

ROWS = 1_000
"""Of each of the two files."""
STAGES: tuple[TrainingStage, ...] = ("sft", "grpo")


def main() -> None:
    """A clean plan, every check."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(home=folder / "home")
        bundle = a_bundle_folder(folder / "bundle", rows=ROWS)
        model = str(tiny_model(settings, bundle))
        arguments = {stage: stage_arguments(get_recipe("cpu-smoke"), stage) for stage in STAGES}
        for stage, given in arguments.items():
            given |= {"model": model, "dataset": [str(bundle / f"{stage}.jsonl")]}
        arguments["grpo"]["external_plugins"] = [str(bundle / "reward_plugin.py")]
        plan = Plan(bundle, get_recipe("cpu-smoke"), arguments, model, with_thinking=True)
        began = time.perf_counter()
        result = preflight(plan, settings)
        seconds = time.perf_counter() - began
        assert result.is_passed, [each for each in result.checks if not each.is_passed]
        began = time.perf_counter()
        imports = "import swift.arguments, swift.dataset, swift.rewards, swift.template"
        subprocess.run([sys.executable, "-I", "-c", imports], check=True, capture_output=True)
        floor = time.perf_counter() - began
    report(
        __name__,
        [
            Figure(
                what=f"preflight of 2,000 rows, {len(result.checks)} checks",
                value=seconds,
                unit="s",
                target="< 60 s on a CPU",
                floor=floor,
                floor_is="the imports of ms-swift alone",
            )
        ],
    )


if __name__ == "__main__":
    main()
