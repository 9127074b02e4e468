"""The reward plugin as the trainer has it: loaded by ms-swift, from a bundle, in a bare Python."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exports.scoring_files import scoring_files
from schemas.project import REWARDS
from schemas.scoring.context import context_from_row
from schemas.scoring.reply import THINK_PREFIX
from schemas.scoring.rewards import score
from tests.bundles import a_bundle_folder

# What ms-swift does with `--external_plugins`, and what its trainer does with the rewards.
TRAINER = """
import json, sys
from types import SimpleNamespace
from swift.utils import import_external_file
from swift.rewards import orms
import swift.template.templates, swift.template
bundle, request = sys.argv[1], json.load(sys.stdin)
import_external_file(f"{bundle}/reward_plugin.py")
rewards = [orms[name](args=None) for name in request["rewards"]]
answers = []
for batch in request["batches"]:
    state = SimpleNamespace(global_step=batch["step"])
    called = [r(batch["completions"], trainer_state=state, **batch["columns"]) for r in rewards]
    answers.append(called)
prefixes = {
    name: swift.template.TEMPLATE_MAPPING[name].thinking_prefix for name in request["templates"]
}
names = [type(reward).__name__ for reward in rewards]
print(json.dumps({"answers": answers, "names": names, "prefixes": prefixes}))
"""


def a_bundle(folder: Path) -> Path:
    a_bundle_folder(folder, rows=6)
    for name, content in scoring_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


def train(bundle: Path, batches: list[dict[str, Any]], **environment: str) -> dict[str, Any]:
    request = {"rewards": REWARDS, "batches": batches, "templates": list(THINK_PREFIX)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", TRAINER, str(bundle)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


def a_batch(rows: list[dict[str, Any]], completions: list[Any], step: int = 1) -> dict[str, Any]:
    columns = {key: [row.get(key) for row in rows] for key in rows[0]}
    return {"step": step, "completions": completions, "columns": columns}


def test_ms_swift_scores_with_the_plugin_as_the_application_does(tmp_path: Path) -> None:
    bundle, log = a_bundle(tmp_path / "bundle"), tmp_path / "run" / "rewards.jsonl"
    log.parent.mkdir()
    rows = [json.loads(line) for line in (bundle / "grpo.jsonl").read_text("utf-8").splitlines()]
    honest = [
        f"<think>\n用户问{row['plan_id']}，按职责分给专家。\n</think>\n\n<answer>\n{row['solution']}\n</answer>"
        for row in rows
    ]
    wild = ["", "\0", "<answer>" * 9, "{" * 5_000, "<think>\n</think>", "x" * 50_000]
    broken = rows[0] | {"plan_meta": "{", "plan_experts": None}
    batches = [
        a_batch(rows, honest),
        a_batch(rows, wild, step=2),
        a_batch([broken, *rows[1:]], honest, step=3),
        {"step": 4, "completions": honest, "columns": {}},
    ]
    said = train(bundle, batches, PLANWRIGHT_REWARD_LOG=str(log))

    assert said["names"] == list(REWARDS)
    for batch, answer in zip(batches, said["answers"], strict=True):
        assert all(len(each) == len(batch["completions"]) for each in answer)
        assert all(math.isfinite(value) and 0 <= value <= 1 for each in answer for value in each)
    for batch, answer in zip(batches[:2], said["answers"], strict=False):
        for index, completion in enumerate(batch["completions"]):
            given = dict(zip(REWARDS, (each[index] for each in answer), strict=True))
            assert given == score(completion, context_from_row(rows[index]))
    assert [each[0] for each in said["answers"][2]] == [0.0] * 7

    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(line["step"], line["plan_id"]) for line in lines[:6]] == [
        (1, row["plan_id"]) for row in rows
    ]
    assert lines[0]["scores"]["StrictFormatReward"] == 1.0
    assert len(lines) == sum(len(batch["completions"]) for batch in batches)
    alarms = [
        json.loads(line)
        for line in log.with_name("reward_alarms.jsonl").read_text("utf-8").splitlines()
    ]
    assert [each["step"] for each in alarms] == [3] + [4] * 6
    assert alarms[-1]["count"] == 7
    assert "scored 0" in said["stderr"]
    assert said["prefixes"] == THINK_PREFIX
    assert not (bundle / "planwright_scoring" / "__pycache__").exists()


def test_two_bundles_in_one_trainer_keep_their_own_scoring(tmp_path: Path) -> None:
    first, second = a_bundle(tmp_path / "first"), a_bundle(tmp_path / "second")
    older = second / "planwright_scoring" / "rewards.py"
    older.write_text(
        older.read_text("utf-8") + "\nREWARD_FUNCTIONS = dict.fromkeys(REWARD_FUNCTIONS, "
        "lambda completion, context: 0.25)\n",
        "utf-8",
    )
    code = """
import sys
from swift.utils import import_external_file
from swift.rewards import orms
for bundle in sys.argv[1:]:
    import_external_file(f"{bundle}/reward_plugin.py")
    import json
    rows = [json.loads(line) for line in open(f"{bundle}/grpo.jsonl", encoding="utf-8")][:1]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    print(orms["JSONValidReward"]()(["x"], **columns))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(first), str(second)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["[0.0]", "[0.25]"], done.stderr


@pytest.mark.parametrize("module", sorted(scoring_files()))
def test_the_travelling_modules_import_only_what_every_trainer_has(module: str) -> None:
    source = scoring_files()[module].decode()
    for line in source.splitlines():
        if line.startswith(("import ", "from ")):
            name = line.split()[1]
            root = name.partition(".")[0]
            is_ours = root in ("", "swift") if module == "reward_plugin.py" else root == ""
            assert is_ours or root in {"numpy", "scipy"} or root in sys.stdlib_module_names, line
