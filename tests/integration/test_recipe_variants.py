"""ms-swift's own argument classes take every recipe that ships, under every choice of variants.

Each combination is judged three times: names, types and choices of all arguments as they are;
everything else too, without what this machine lacks; and, as they are, refused for nothing but what
the machine lacks, which is named.
"""

import json
from collections.abc import Iterator
from itertools import groupby, product
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exports.training.ask import ask_trainer, tiny_model
from exports.training.recipes import NAMES, get_recipe, stage_arguments
from exports.training.variants import chosen_variants, list_variants, one_of_each_group, stages_left
from schemas.errors import InvalidInput, NotFound
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training_stages import TRAINED, USUAL, TrainingStage
from tests.bundles import a_bundle_folder

LACKING = {
    "deepspeed": "PackageNotFoundError: No package metadata was found for The 'deepspeed'",
    "torch_dtype": "ValueError: Your setup doesn't support bf16/gpu",
    "use_vllm": "ImportError",
}
"""What a machine without GPU, DeepSpeed and vLLM says to the argument that asks for it."""


class Case(NamedTuple):
    """The arguments of a stage under some variants."""

    name: str
    stage: TrainingStage
    arguments: dict[str, Any]
    program: str
    devices: int

    @property
    def lacking(self) -> list[str]:
        """The arguments that ask for what this machine lacks; Megatron's classes ask nothing."""
        if self.program == "megatron":
            return []
        found = [name for name in ("deepspeed", "use_vllm") if self.arguments.get(name)]
        return [*found, *(["torch_dtype"] if self.arguments["torch_dtype"] == "bfloat16" else [])]

    def bare(self) -> dict[str, Any]:
        """The same on this machine: one process, its processor, sampling with transformers."""
        if self.program == "megatron":
            return self.arguments
        kept = {
            name: value
            for name, value in self.arguments.items()
            if name not in ("deepspeed", "sleep_level", "ENV") and not name.startswith("vllm_")
        }
        if self.arguments.get("use_vllm"):
            kept |= {"use_vllm": False}
            kept |= {name: False for name in ("offload_model", "offload_optimizer") if name in kept}
        return kept | {"use_cpu": True}

    def asked(self, arguments: dict[str, Any], *, is_bare: bool) -> dict[str, Any]:
        """A question to the classes of the program that would train."""
        terms = {"stage": self.stage, "program": self.program, "devices": self.devices}
        return terms | {"arguments": arguments, "is_bare": is_bare}


def combinations(recipe: str) -> Iterator[tuple[str, ...]]:
    groups: dict[str, list[str | None]] = {}
    for variant in list_variants(recipe):
        groups.setdefault(variant.group, [None]).append(variant.name)
    for chosen in product(*groups.values()):
        yield tuple(name for name in chosen if name)


def cases(model: str, plugin: str) -> list[Case]:
    """Every combination, those of equal arguments once."""
    found: dict[str, Case] = {}
    for name in NAMES:
        for variants, thinks in product(combinations(name), (True, False)):
            recipe = get_recipe(name, variants)
            for stage in TRAINED:
                arguments = stage_arguments(recipe, stage, with_thinking=thinks) | {"model": model}
                if stage == "grpo":
                    arguments["external_plugins"] = [plugin]
                key = json.dumps([recipe.program, stage, arguments], sort_keys=True)
                label = f"{name} {' '.join(variants)} {stage} {'think' if thinks else 'no-think'}"
                devices = recipe.devices * recipe.nodes
                found.setdefault(key, Case(label, stage, arguments, recipe.program, devices))
    return list(found.values())


@pytest.mark.timeout(600)
def test_ms_swift_takes_every_recipe_under_every_variant(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    bundle = a_bundle_folder(tmp_path / "bundle", rows=12)
    every = cases(str(tiny_model(settings, bundle)), str(bundle / "reward_plugin.py"))
    assert len(every) > 130
    assert sum(case.program == "megatron" for case in every) > 20
    assert sum("use_ray" in case.arguments for case in every) >= 6
    said: list[dict[str, Any]] = []
    for _, of_program in groupby(every, attrgetter("program")):
        # Of one program at a time, as a plan has: the classes of the one leave a process group.
        asked = [
            question
            for case in of_program
            for question in (
                case.asked(case.arguments, is_bare=True),
                case.asked(case.bare(), is_bare=False),
                case.asked(case.arguments, is_bare=False),
            )
        ]
        said += ask_trainer(settings, arguments=asked)["arguments"]
    for case, (as_named, on_this_machine, as_it_is) in zip(
        every, zip(said[::3], said[1::3], said[2::3], strict=True), strict=True
    ):
        assert (as_named["unknown"], as_named["error"]) == ({}, None), case.name
        assert on_this_machine["error"] is None, (case.name, on_this_machine)
        assert case.program == "swift" or "megatron" in case.name
        if not case.lacking:
            assert as_it_is["error"] is None, (case.name, as_it_is)
        else:
            reasons = [LACKING[name] for name in case.lacking]
            assert any(str(as_it_is["error"]).startswith(each) for each in reasons), (
                case.name,
                as_it_is,
            )


def test_what_a_variant_does_not_know_is_refused() -> None:
    with pytest.raises(NotFound, match=r"variant_not_found|zero3"):
        get_recipe("single-gpu", ["zero9"])
    with pytest.raises(InvalidInput) as refusal:
        get_recipe("single-gpu", ["zero2", "zero3"])
    assert refusal.value.code == "training.variants_exclude"


def test_of_two_that_decide_the_same_the_page_keeps_the_later() -> None:
    assert one_of_each_group("single-gpu", ["zero2", "full", "zero3"]) == ("zero3", "full")


def test_an_argument_that_a_variant_takes_away_is_gone() -> None:
    assert get_recipe("single-gpu").sft["lora_rank"] == 16
    full = get_recipe("single-gpu", ["full", "vllm-server"])
    assert full.sft["tuner_type"] == "full"
    assert "lora_rank" not in full.sft
    assert full.grpo["vllm_mode"] == "server"
    assert "vllm_gpu_memory_utilization" not in full.grpo


def test_direct_grpo_leaves_sft_out() -> None:
    left = stages_left(USUAL, chosen_variants("cpu-smoke", ["direct-grpo"]))
    assert "sft" not in left
    assert {"preflight", "grpo", "evaluate_grpo"} <= set(left)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variant_is_explained(language: str) -> None:
    for name in NAMES:
        for variant in list_variants(name):
            assert sentence(variant.code, {}, language)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the classes say to a fault in each of some arguments of Megatron, asked at once."""
    folder = tmp_path_factory.mktemp("megatron")
    settings = Settings(home=folder / "home")
    bundle = a_bundle_folder(folder / "bundle", rows=12)
    made = {"model": str(tiny_model(settings, bundle))}
    plugin = {"external_plugins": [str(bundle / "reward_plugin.py")]}
    sft = stage_arguments(get_recipe("3x8-megatron"), "sft") | made
    grpo, on_ray = (
        stage_arguments(get_recipe("3x8-megatron", variants), "grpo") | made | plugin
        for variants in ((), ("ray",))
    )
    faults: dict[str, tuple[TrainingStage, dict[str, Any]]] = {
        "a name of the other program": ("sft", sft | {"learning_rate": 0.1}),
        "a choice that is none": ("sft", sft | {"lr_decay_style": "sometimes"}),
        "a batch that does not divide": ("sft", sft | {"global_batch_size": 50}),
        "devices that hold no copy": ("sft", sft | {"tensor_model_parallel_size": 5}),
        "questions that do not divide": ("grpo", grpo | {"global_batch_size": 72}),
        "no vLLM": ("grpo", grpo | {"use_vllm": False}),
        "groups of other sizes": ("grpo", on_ray | {"rollout": {"gpus": 8}}),
        "a typo in a group": ("grpo", on_ray | {"train": {"gpus": 24, "micro_batch_sice": 2}}),
        "a name that no class has": ("grpo", on_ray | {"sleepy_level": 1}),
    }
    terms = {"program": "megatron", "devices": 24, "is_bare": False}
    asked = [{"stage": stage, "arguments": given} | terms for stage, given in faults.values()]
    said = ask_trainer(settings, arguments=asked)["arguments"]
    return dict(zip(faults, said, strict=True))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("a choice that is none", "argparse refuses"),
        ("a batch that does not divide", "global_batch_size 50 is not divisible"),
        ("devices that hold no copy", "24 devices do not hold whole copies"),
        ("questions that do not divide", "must be divisible by micro_batch_size"),
        ("no vLLM", "use_vllm must be True"),
        ("groups of other sizes", "different GPU counts"),
    ],
)
def test_megatrons_own_classes_refuse_what_cannot_train(
    judged: dict[str, dict[str, Any]], fault: str, told: str
) -> None:
    assert told in str(judged[fault]["error"]), judged[fault]


@pytest.mark.parametrize(
    ("fault", "flag", "near"),
    [
        ("a name of the other program", "learning_rate", ""),
        ("a typo in a group", "micro_batch_sice", "micro_batch_size"),
        ("a name that no class has", "sleepy_level", ""),
    ],
)
def test_a_name_that_megatron_does_not_know_is_named(
    judged: dict[str, dict[str, Any]], fault: str, flag: str, near: str
) -> None:
    assert list(judged[fault]["unknown"]) == [flag]
    assert near in judged[fault]["unknown"][flag]
