"""The form of a training order says what a chain is started with."""

from pathlib import Path
from typing import Any

import pytest

from exports.training.recipes import get_recipe
from labeling.ui.i18n import LANGUAGES, Words
from labeling.ui.training_order import FIELDS, SWITCHES, read_order, stage_update, variant_names
from labeling.ui.training_views import recipe_view
from schemas.errors import InvalidInput
from schemas.project import REWARDS
from schemas.settings import Settings
from schemas.training_gates import Gates


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_variants_and_lines_reach_the_order(settings: Settings) -> None:
    recipe, order = read_order(settings, *fields(variants=["lora"], lines="grpo.epsilon_high=0.28"))
    assert recipe == "cpu-smoke"
    assert order.variants == ("lora",)
    assert order.overrides == {"grpo": {"epsilon_high": 0.28}}
    assert "kto" not in order.stages


def test_a_typo_in_a_line_names_the_nearest(settings: Settings) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_order(settings, *fields(lines="grpo.epsilon_hi=0.28"))
    assert refusal.value.values["near"] == "epsilon_high"


def test_direct_grpo_switches_sft_off_on_the_page() -> None:
    on = stage_update(get_recipe("cpu-smoke", ["direct-grpo"])).value
    assert "sft" not in on
    assert "grpo" in on


@pytest.mark.parametrize(
    ("percents", "gates"),
    [
        ((None, None), Gates()),
        ((0, 0), Gates()),  # what Gradio sends for a blank
        ((40, 50), Gates(accuracy_at_least=0.4, flat_at_most=0.5)),
    ],
)
def test_gates_are_set_only_where_somebody_asks_for_one(
    settings: Settings, percents: tuple[float | None, float | None], gates: Gates
) -> None:
    _, order = read_order(settings, *fields(gates=percents))
    assert order.gates == gates


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_variant_with_a_server_shows_the_command_that_must_run(language: Any) -> None:
    assert "vllm-server" in variant_names("3x8-a100")
    shown = str(recipe_view(get_recipe("3x8-a100", ["vllm-server"]), Words(language)))
    assert "swift rollout --model Qwen/QwQ-32B --vllm_tensor_parallel_size 4" in shown


def fields(
    *, variants: Any = (), lines: str = "", gates: tuple[float | None, float | None] = (None, None)
) -> list[Any]:
    """The form as the recipe `cpu-smoke` fills it, with every usual stage."""
    recipe = get_recipe("cpu-smoke")
    stages = [each for each in SWITCHES if "dpo" not in each and "kto" not in each]
    knobs = [recipe.stage(stage).get(name) for stage, name in FIELDS]
    return ["cpu-smoke", variants, stages, *before(lines), *gates, *knobs, *([0] * len(REWARDS))]


def before(lines: str) -> list[Any]:
    """Model, benchmark and nodes are blank."""
    return ["", "", "", lines]
