"""Faults planted in what is about to be trained: each is found by its check, and by no other.

Take a check out of preflight, and its faults are not found: a test here is red. Where a check
offers a fix, what it changes makes the check pass.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from exports.training import preflight as looking
from exports.training.ask import tiny_model
from exports.training.fixes import mended
from exports.training.preflight import Plan, Preflight, preflight
from exports.training.recipes import get_recipe, stage_arguments
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training import TRAINED, ChainOrder, Check
from tests.bundles import a_bundle_folder, add_preferences
from tests.faults_of_sources import FAULTS as OF_SOURCES
from tests.good_bundle import Made, a_copy
from tests.preflight_faults import ORDER, PLAN_FAULTS, PlanFault, an_order, damaged

RECIPE = "cpu-smoke"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path, Path]:
    """Settings, a good bundle and the model that is made for it."""
    home = tmp_path_factory.mktemp("preflight")
    settings = Settings(home=home / "home")
    bundle = a_bundle_folder(home / "bundle", rows=16)
    add_preferences(bundle)
    return settings, bundle, tiny_model(settings, bundle)


def looked_at(settings: Settings, bundle: Path, model: Path, order: ChainOrder) -> Preflight:
    """What preflight says to an order on a bundle, as a chain asks it."""
    return preflight(planned(bundle, model, order), settings)


def planned(bundle: Path, model: Path, order: ChainOrder) -> Plan:
    """The plan of an order on a bundle."""
    recipe = get_recipe(RECIPE, order.variants)
    arguments: dict[Any, dict[str, Any]] = {}
    for stage in TRAINED:
        if stage in order.stages:
            text = json.dumps(order.overrides.get(stage, {})).replace("@bundle", str(bundle))
            given = stage_arguments(
                recipe, stage, weights=order.weights, overrides=json.loads(text)
            )
            given |= {"model": str(model), "dataset": [str(bundle / f"{stage}.jsonl")]}
            if stage == "grpo":
                given["external_plugins"] = [str(bundle / "reward_plugin.py")]
            arguments[stage] = given
    return Plan(bundle, recipe, arguments, str(model), with_thinking=True)


def group_of(name: str) -> str:
    """The check in the registry; those of arguments and rows are one for each stage."""
    return name.partition("_")[0]


def without_its_check(
    plan: Plan, result: Preflight, settings: Settings, fault: PlanFault, patch: pytest.MonkeyPatch
) -> set[str]:
    """What is told of the same answers once the fault's check is taken out of the registry."""
    with patch.context() as out:
        for registry in ("FIRST", "CLOSER", "OF_GRPO"):
            known = getattr(looking, registry)
            kept = {name: look for name, look in known.items() if name != group_of(fault.check)}
            out.setattr(looking, registry, kept)
        told = looking.look_first(plan, settings)
        if result.said is not None:
            told += looking.look_closer(result.said)
    return {check.name for check in told if not check.is_passed}


def failing(result: Preflight) -> dict[str, Check]:
    return {check.name: check for check in result.checks if not check.is_passed}


def test_a_clean_run_passes_every_check_and_every_check_has_its_fault(
    site: tuple[Settings, Path, Path],
) -> None:
    result = looked_at(*site, ORDER)
    assert failing(result) == {}
    for check in result.checks:
        assert check.fix is None
        assert all(sentence(check.code, check.values, language) for language in LANGUAGES)
    of_stages = {f"{kind}_{stage}" for kind in ("arguments", "data") for stage in TRAINED}
    alike = {name: name.partition("_")[0] for name in of_stages}
    names = {alike.get(check.name, check.name) for check in result.checks}
    found = {alike.get(fault.check, fault.check) for fault in PLAN_FAULTS}
    assert names - found == {"leak", "devices", "nodes"}, "these have tests of their own"
    registered = {*looking.FIRST, *looking.CLOSER, *looking.OF_GRPO}
    assert {group_of(name) for name in names} == registered
    assert len(PLAN_FAULTS) >= 20
    assert len({fault.code for fault in PLAN_FAULTS}) == len(PLAN_FAULTS)


@pytest.mark.parametrize("fault", PLAN_FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_by_its_check_alone_and_without_it_by_none(
    site: tuple[Settings, Path, Path],
    fault: PlanFault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, bundle, model = site
    copies = damaged(fault, bundle, model, tmp_path)
    order = an_order(fault)
    with fault.beside():
        result = looked_at(settings, *copies, order)
        plan = planned(*copies, order)
        unseen = without_its_check(plan, result, settings, fault, monkeypatch)
    assert unseen == set(fault.also), "only what else it breaks is told without its check"
    found = failing(result)
    assert set(found) == {fault.check, *fault.also}, {
        n: (c.code, c.values) for n, c in found.items()
    }
    check = found[fault.check]
    assert check.code == f"training.{fault.code}"
    for language in LANGUAGES:
        assert sentence(check.code, check.values, language)
        assert check.fix is None or sentence(check.fix.code, check.fix.values, language)
    assert (check.fix is not None) == fault.has_fix
    if check.fix is not None:
        again = looked_at(settings, *copies, mended(order, RECIPE, check.fix))
        assert fault.check not in failing(again)
    shutil.rmtree(tmp_path)


def test_a_question_to_evaluate_with_among_the_rows_is_found(
    good_home: tuple[Made, Path], tmp_path: Path
) -> None:
    fault = next(each for each in OF_SOURCES if each.name == "a benchmark question in train")
    with a_copy(*good_home, tmp_path / "copy") as good:
        bundle, model = good.with_thinking, tiny_model(good.settings, good.with_thinking)
        given = stage_arguments(get_recipe(RECIPE), "sft") | {"model": str(model)}
        given["dataset"] = [str(bundle / "sft.jsonl")]
        plan = Plan(bundle, get_recipe(RECIPE), {"sft": given}, str(model), with_thinking=True)
        assert failing(preflight(plan, good.settings, good.ground)) == {}
        fault.plant(good, bundle)
        found = failing(preflight(plan, good.settings, good.ground))
    assert set(found) == {"leak"}
    assert found["leak"].code == "training.rows_leak"


def test_recipes_for_devices_say_that_there_are_too_few(site: tuple[Settings, Path, Path]) -> None:
    settings, bundle, model = site
    given = stage_arguments(get_recipe(RECIPE), "sft") | {"model": str(model)}
    given["dataset"] = [str(bundle / "sft.jsonl")]
    plan = Plan(bundle, get_recipe("single-gpu"), {"sft": given}, str(model), with_thinking=True)
    assert failing(preflight(plan, settings))["devices"].code == "training.too_few_devices"
    several = plan._replace(recipe=get_recipe("3x8-a100"))
    assert failing(preflight(several, settings))["nodes"].code == "training.several_machines"
