"""What the form of a recipe holds is what the recipe says, both ways, or it says what it lacks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.bundle_commands import load_recipe
from labeling.ui.dataset_form import NAMES, POOLS, fill_form, read_form
from labeling.ui.dataset_views import recipe_view
from labeling.ui.i18n import Words
from schemas.errors import InvalidInput
from schemas.project import DEFAULT_WEIGHTS, REWARDS, ProjectSettings
from schemas.recipe import FORMATS, BundleRecipe, parse_recipe
from tests.exporting import a_recipe

OPENED: dict[str, Any] = {
    "name": "mixed",
    "formats": ["sft", "grpo"],
    "with_thinking": True,
    **{f"{pool}_takes": list(kinds) for pool, kinds in POOLS.items()},
    **{f"{pool}_{kind}": 0 for pool, kinds in POOLS.items() for kind in kinds},
    "sft_size": 0,
    "grpo_size": 0,
    "think_min": 60,
    "think_max": 180,
    "shortest_traces": 100,
    "plain_share": 0,
    "val_share": 5,
    "seed": 0,
    "prefer": "shortest",
    "stale_traces": "leave_out",
    "pools": "apart",
    "history_answers": "rendered",
    "dpo_pairs": ["corrected"],
    "twin_share": 0,
    "twin_shuffle": True,
    "twin_drop": 0,
    "twin_decoys": 0,
    "model": "tiny",
    "training": "cpu-smoke",
    **dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True)),
}
"""The fields as the page opens."""
PERCENT = st.integers(0, 1000).map(lambda tenths: tenths / 10)
SHARES = st.sampled_from(((0, 0, 0), (50, 30, 20), (12.5, 87.5, 0), (100, 0, 0)))
TAKES = st.sets(st.sampled_from(POOLS["sft"]), min_size=1).map(sorted)


def a_form(**changes: object) -> BundleRecipe:
    return read_form(*(OPENED | changes).values())


def as_text(recipe: BundleRecipe) -> str:
    """What the page gives to copy as the file for the command line."""

    def copied(node: Any) -> list[str]:
        match node:
            case [str(), {"copy": str(text)}, *_]:
                return [text]
            case [*children]:
                return [text for child in children for text in copied(child)]
            case _:
                return []

    (text,) = copied(recipe_view(recipe, Words("en")))
    return text


def test_the_form_as_it_opens_takes_all_there_is() -> None:
    assert tuple(OPENED) == NAMES
    recipe = a_form()
    assert [each.kind for each in recipe.sft.sources] == ["suggestions", "accepted", "history"]
    assert all(each.share is None for each in recipe.sft.sources)
    assert recipe.augmentation.share == recipe.plain_share == 0


@given(
    takes=TAKES,
    shares=SHARES,
    formats=st.sets(st.sampled_from(FORMATS), min_size=1),
    pairs=st.sets(st.sampled_from(("corrected", "siblings", "length")), min_size=1),
    twins=st.tuples(PERCENT, st.booleans(), st.integers(0, 900), st.integers(1, 20)),
    plain=st.integers(0, 900),
    bounds=st.none() | st.tuples(st.integers(1, 90), st.integers(90, 400)),
)
def test_form_text_and_form_again_say_the_same(
    takes: list[str],
    shares: tuple[float, ...],
    formats: set[str],
    pairs: set[str],
    twins: tuple[float, bool, int, int],
    plain: int,
    bounds: tuple[int, int] | None,
) -> None:
    is_shared = any(shares)
    recipe = a_form(
        sft_takes=list(POOLS["sft"]) if is_shared else takes,
        formats=sorted(formats, key=FORMATS.index),
        sft_suggestions=shares[0],
        sft_accepted=shares[1],
        sft_history=shares[2],
        dpo_pairs=sorted(pairs),
        twin_share=twins[0],
        twin_shuffle=twins[1],
        twin_drop=twins[2] / 10,
        twin_decoys=twins[3],
        plain_share=plain / 10,
        think_min=bounds[0] if bounds else 0,
        think_max=bounds[1] if bounds else 0,
    )
    again = read_form(*fill_form(parse_recipe(as_text(recipe))))
    assert again.model_dump() == recipe.model_dump()


def test_what_only_a_file_could_say_is_in_the_form() -> None:
    recipe = a_form(
        formats=["dpo", "kto"],
        dpo_pairs=["siblings", "length"],
        twin_share=20,
        twin_shuffle=False,
        twin_drop=40,
        twin_decoys=2,
        plain_share=30,
    )
    assert recipe.dpo_pairs == ("siblings", "length")
    assert recipe.augmentation.model_dump() == {
        "share": 0.2,
        "shuffle": False,
        "drop_unused": 0.4,
        "decoys": 2,
    }
    assert recipe.plain_share == 0.3


def test_what_a_preview_shows_fits_the_form_again() -> None:
    project = ProjectSettings(banned_words=("微信",))
    recipe = a_form(twin_share=20)
    shown = parse_recipe(as_text(recipe.resolved(project)))
    assert read_form(*fill_form(shown, project.banned_words)) == recipe
    with pytest.raises(InvalidInput, match="banned_words"):
        fill_form(shown, ("QQ",))


@pytest.mark.parametrize("name", ["mixed", "cold-start"])
def test_recipes_that_ship_fit_the_form(name: str) -> None:
    recipe = load_recipe(name)
    held = read_form(*fill_form(recipe))
    for key in ("formats", "val_share", "shortest_traces", "seed", "think", "pools"):
        assert getattr(held, key) == getattr(recipe, key)
    assert {each.kind for each in held.sft.sources} == {each.kind for each in recipe.sft.sources}


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"expert_quota": 5, "shift_alarm": 0.2}, "expert_quota, shift_alarm"),
        ({"banned_words": ["微信"]}, "banned_words"),
        ({"sft": {"sources": [{"kind": "accepted", "lists": ["merchant@1"]}]}}, "sft"),
        ({"think": {"min": 5, "max": 9, "curve": "continuous"}}, "think"),
    ],
)
def test_what_the_form_would_lose_is_refused_by_name(changes: dict[str, Any], keys: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fill_form(a_recipe(**changes))
    assert refused.value.code == "export.recipe_beyond_form"
    assert refused.value.values["keys"] == keys
    assert refused.value.sentence("zh")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"twin_share": 10, "twin_shuffle": False}, "export.recipe_augments_nothing"),
        ({"plain_share": 10, "with_thinking": False}, "export.recipe_plain_already"),
        ({"formats": ["dpo"], "dpo_pairs": []}, "export.recipe_wrong_value"),
        ({"grpo_takes": []}, "export.recipe_no_source"),
        ({"think_min": 0}, "export.recipe_range"),
    ],
)
def test_a_form_that_makes_no_sense_says_why(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        a_form(**changes)
    assert refused.value.code == code
