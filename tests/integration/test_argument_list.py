"""The form of all arguments is made from ms-swift's own classes."""

from pathlib import Path

import pytest

from exports.training.argument_list import find_arguments, list_arguments, read_overrides
from exports.training.recipes import NAMES, get_recipe
from schemas.errors import InvalidInput
from schemas.settings import Settings
from schemas.training_stages import TRAINED


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("arguments") / "home")


def test_every_argument_stands_there_with_type_default_choices_and_help(
    settings: Settings,
) -> None:
    of_sft, of_grpo = (list_arguments(settings, stage) for stage in ("sft", "grpo"))
    assert len(of_sft) > 300
    assert len(of_grpo) > len(of_sft)
    known = {each.name: each for each in of_grpo}
    assert known["beta"].type == "Optional[float]"
    assert "reference" in known["beta"].help
    assert known["max_completion_length"].default == "512"
    assert "colocate" in known["vllm_mode"].choices
    explained = sum(bool(each.help) for each in of_grpo)
    assert explained > 0.9 * len(of_grpo)


def test_every_argument_of_a_recipe_is_among_them(settings: Settings) -> None:
    for stage in TRAINED:
        for name in NAMES:
            recipe = get_recipe(name)
            known = {each.name for each in list_arguments(settings, stage, recipe.program)}
            assert recipe.stage(stage).keys() - known <= {"ENV"}


def test_a_version_is_asked_once(settings: Settings) -> None:
    list_arguments(settings, "sft")
    kept = list(Path(settings.home / "models").glob("arguments-*.json"))
    assert len(kept) == 1
    written = kept[0].stat().st_mtime_ns
    list_arguments(settings, "grpo")
    assert kept[0].stat().st_mtime_ns == written


def test_a_search_finds_by_name_first_and_then_by_help(settings: Settings) -> None:
    known = list_arguments(settings, "grpo")
    names = [each.name for each in find_arguments(known, "num gener")]
    assert names[0] == "num_generations"
    assert "max_completion_length" in [each.name for each in find_arguments(known, "completion")]
    assert find_arguments(known, "no such thing at all") == []


def test_overrides_are_read_by_the_trainers_classes(settings: Settings) -> None:
    read = read_overrides(settings, "grpo.beta=0.1\n\nsft.lr_scheduler_type = cosine\n")
    assert read == {"grpo": {"beta": 0.1}, "sft": {"lr_scheduler_type": "cosine"}}


def test_megatron_has_arguments_of_its_own(settings: Settings) -> None:
    known = {each.name: each for each in list_arguments(settings, "grpo", "megatron")}
    assert known["micro_batch_size"].default == "1"
    assert "cosine" in known["lr_decay_style"].choices
    assert "learning_rate" not in known
    read = read_overrides(settings, "sft.lr=0.00002", "megatron")
    assert read == {"sft": {"lr": 0.00002}}
    with pytest.raises(InvalidInput, match="no argument lr"):
        read_overrides(settings, "sft.lr=0.00002")


@pytest.mark.parametrize(
    ("line", "code", "value"),
    [
        ("grpo.num_generation=8", "training.argument_unknown", "num_generations"),
        ("grpo.vllm_mode=beside", "training.argument_not_a_choice", "colocate"),
        ("beta=8", "training.override_not_a_pair", "beta=8"),
    ],
)
def test_a_typo_is_an_error_with_the_nearest_name(
    settings: Settings, line: str, code: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_overrides(settings, line)
    assert refusal.value.code == code
    assert value in str(refusal.value.values)
