"""Gates of a chain: what is missed stops it before GRPO, and a person may pass all the same."""

from collections.abc import Iterator

import pytest

from exports.training.chain import resume_chain, stop_chain
from schemas.pass_rate import PassRate
from schemas.sentences import LANGUAGES, sentence
from schemas.training import ChainOrder, Told
from schemas.training_gates import ACCURACY, FLAT, Gates
from tests.chain_site import LIMIT_S, Site, a_site, is_over, stage

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site") / "home") as site:
        yield site


def test_a_gate_that_is_missed_stops_before_grpo_until_a_person_passes_it(site: Site) -> None:
    order = ChainOrder(
        stages=("sft", "evaluate_sft", "pass_rate", "grpo"),
        overrides={"sft": {"max_steps": 2, "save_steps": 2}},
        evaluation_limit=2,
        weights={"CorrectnessReward": 1.0},
        gates=Gates(accuracy_at_least=1.0, flat_at_most=0.0),
    )
    chain_id = site.start(order)
    view = site.wait(chain_id, is_over)
    assert (view.state, stage(view, "evaluate_sft").reason) == ("failed", ACCURACY)
    assert view.resume == Told(code="training.resume_past_gate")
    resume_chain(site.database, site.durable, site.settings, site.who, chain_id)
    view = site.wait(chain_id, is_over)
    assert stage(view, "evaluate_sft").state == "succeeded"
    # After two steps no plan is right, so no group has anything to teach.
    assert (view.state, stage(view, "pass_rate").reason) == ("failed", FLAT)
    found = PassRate.model_validate(stage(view, "pass_rate").figures)
    assert (found.prompts, found.completions, found.flat) == (4, 16, 1.0)
    for language in LANGUAGES:
        for name in ("evaluate_sft", "pass_rate"):
            assert sentence(stage(view, name).reason, stage(view, name).values, language)
    resume_chain(site.database, site.durable, site.settings, site.who, chain_id)
    view = site.wait(chain_id, lambda view: stage(view, "grpo").run_id is not None)
    assert stage(view, "pass_rate").figures == found.model_dump()
    stop_chain(site.database, site.settings, site.who, chain_id, at_once=True)
    site.wait(chain_id, is_over)
