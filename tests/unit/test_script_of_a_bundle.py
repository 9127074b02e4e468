"""`train.sh` starts what a chain would start, for every recipe and every stage."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from exports.training.beginning import command_of, files_of, start_from
from exports.training.recipes import NAMES, get_recipe, recipe_files, stage_arguments
from schemas.training_stages import PREFERENCES, TRAINED, TrainingStage

PROGRAM = f"""#!{sys.executable}
import json, os, pathlib, sys
words = sys.argv[1:]
folder = pathlib.Path(words[words.index("--output_dir") + 1])
checkpoint = folder / "last-checkpoint"
checkpoint.mkdir(parents=True)
if os.environ.get("SAVES") == "adapter":
    (checkpoint / "adapter_config.json").touch()
with open(os.environ["TOLD"], "a") as told:
    told.write(json.dumps(words) + "\\n")
"""
"""Stands where ms-swift's command would: says what it was started with, and saves."""


class Site(NamedTuple):
    """A bundle's files, and where the command that is started tells of it."""

    bundle: Path
    out: Path
    told: Path
    program: Path

    def run(self, *words: str, saves: str = "model") -> subprocess.CompletedProcess[str]:
        """The script with these words."""
        environment = {"PATH": "/usr/bin:/bin", "SWIFT": str(self.program), "MODEL": "/models/base"}
        environment |= {"OUT": str(self.out), "TOLD": str(self.told), "SAVES": saves}
        return subprocess.run(
            ["sh", str(self.bundle / "train.sh"), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def started(self) -> list[list[str]]:
        """The words of each start."""
        if not self.told.exists():
            return []
        return [json.loads(line) for line in self.told.read_text("utf-8").splitlines()]


@pytest.fixture(params=NAMES)
def recipe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(recipe: str, tmp_path: Path) -> Site:
    bundle = tmp_path / "a bundle"
    bundle.mkdir()
    for name, content in recipe_files(recipe, preferences=PREFERENCES).items():
        (bundle / name).write_bytes(content)
    program = tmp_path / "program"
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)
    (tmp_path / "models").mkdir()
    return Site(bundle, tmp_path / "out put", tmp_path / "told", program)


def understood(words: Sequence[str]) -> dict[str, Any]:
    """The arguments that ms-swift makes of its words: those of the file, the others over them."""
    arguments: dict[str, Any] = yaml.safe_load(Path(words[1]).read_text("utf-8"))
    name, given = "", dict[str, list[str]]()
    for word in words[2:]:
        if word.startswith("--"):
            name = word.removeprefix("--")
            given[name] = []
        else:
            given[name].append(word)
    for name, values in given.items():
        is_list = isinstance(arguments.get(name, [] if name.endswith("adapters") else ""), list)
        arguments[name] = values if is_list else values[0]
    return arguments


def of_a_chain(recipe: str, stage: TrainingStage, site: Site, begun: str | None) -> dict[str, Any]:
    """What a chain would start the stage with."""
    arguments = stage_arguments(get_recipe(recipe), stage) | files_of(stage, str(site.bundle))
    arguments["output_dir"] = str(site.out / stage)
    return start_from(stage, arguments, model="/models/base", checkpoint=begun)


@pytest.mark.parametrize("saves", ["model", "adapter"])
def test_every_stage_starts_as_in_a_chain(recipe: str, site: Site, saves: str) -> None:
    done = site.run(*TRAINED, saves=saves)
    assert done.returncode == 0, done.stderr
    begun: str | None = None
    for stage, words in zip(TRAINED, site.started(), strict=True):
        assert words[0] == command_of(stage)
        assert understood(words) == of_a_chain(recipe, stage, site, begun)
        begun = str(site.out / stage / "last-checkpoint")


def test_the_usual_stages_are_those_of_a_chain(site: Site) -> None:
    assert site.run().returncode == 0
    assert [Path(words[1]).stem for words in site.started()] == ["sft", "grpo"]
    again = site.run()
    assert again.returncode == 1
    assert "set OUT to another folder" in again.stderr
    assert len(site.started()) == 2


def test_stages_come_in_the_order_of_a_chain_and_from_a_checkpoint(
    recipe: str, site: Site, tmp_path: Path
) -> None:
    saved = tmp_path / "check point"
    saved.mkdir()
    assert site.run("kto", "dpo", str(saved)).returncode == 0
    first, second = site.started()
    assert understood(first) == of_a_chain(recipe, "dpo", site, str(saved))
    begun = str(site.out / "dpo" / "last-checkpoint")
    assert understood(second) == of_a_chain(recipe, "kto", site, begun)


@pytest.mark.parametrize("words", [("nonsense",), ("sft", "/nowhere")])
def test_what_is_no_stage_and_no_checkpoint_is_refused(site: Site, words: tuple[str, ...]) -> None:
    said = site.run(*words)
    assert said.returncode == 2
    assert "usage" in said.stderr
    assert site.started() == []


def test_a_failing_stage_ends_the_script(site: Site) -> None:
    site.program.write_text("#!/bin/sh\nexit 7\n", "utf-8")
    assert site.run().returncode == 7
    assert not (site.out / "grpo").exists()


def test_a_bundle_without_preferences_knows_no_stage_for_them(recipe: str, site: Site) -> None:
    (site.bundle / "train.sh").write_bytes(recipe_files(recipe)["train.sh"])
    assert site.run("dpo").returncode == 2
