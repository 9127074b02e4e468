"""DPO and KTO train for real after SFT, each from the adapter that the stage before it saved."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from db.durable import Durable, command_executor_id
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.training.chain_view import run_view
from exports.training.live import Seen, live
from exports.training.mending import mend_chain
from labeling.ui.i18n import Words
from labeling.ui.run_views import chart_specs
from labeling.ui.training_views import chain_view as chain_drawing
from schemas.errors import InvalidInput
from schemas.settings import Settings
from schemas.training import ChainOrder, ChainView, Stage
from tests.bundles import a_bundle, add_preferences
from tests.chain_site import LIMIT_S, Site, is_over, logged, stage
from tests.factories import a_project

pytestmark = pytest.mark.timeout(LIMIT_S)
STAGES: tuple[Stage, ...] = ("preflight", "freeze", "sft", "dpo", "kto")
STEPS = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(home=tmp_path_factory.mktemp("site") / "home")
    settings.home.mkdir()
    database = Database(sqlite_url(settings.home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    add_preferences(settings.home / "bundles" / "first")
    durable = Durable(settings, database, command_executor_id())
    durable.launch()
    yield Site(settings, database, durable, who, bundle_id)
    durable.close()
    database.close()
    shutil.rmtree(settings.home)


@pytest.fixture(scope="module")
def trained(site: Site) -> ChainView:
    """SFT, DPO and KTO, a few steps each."""
    short = {"max_steps": STEPS, "save_steps": STEPS}
    overrides = {"sft": short, "dpo": short, "kto": short}
    order = {"stages": STAGES, "variants": ["lora"], "overrides": overrides}
    return site.wait(site.start(ChainOrder.model_validate(order)), is_over)


def test_every_stage_succeeds(trained: ChainView) -> None:
    said = {each.name: (each.state, each.reason, each.values) for each in trained.stages}
    assert [name for name, (state, *_) in said.items() if state == "succeeded"] == list(STAGES), (
        said
    )


def test_each_begins_from_the_adapter_of_the_stage_before(site: Site, trained: ChainView) -> None:
    runs = {
        name: run_view(site.database, site.settings, site.who, str(stage(trained, name).run_id))
        for name in ("sft", "dpo", "kto")
    }
    for before, name in (("sft", "dpo"), ("dpo", "kto")):
        config = yaml.safe_load((Path(runs[name].folder) / "config.yaml").read_text("utf-8"))
        assert config["adapters"] == config["ref_adapters"] == [runs[before].checkpoint]
        assert config["rlhf_type"] == name
        assert not (Path(config["model"]) / "adapter_config.json").exists()


def test_their_curves_stand_on_the_page(site: Site, trained: ChainView) -> None:
    specs = chart_specs(Words("en"))
    news = live(site.database, site.settings, site.who, [trained.id], Seen())
    parts = {part.run_id: part for part in news.parts}
    for name in ("dpo", "kto"):
        drawn = {line["metric"] for spec in specs[name] for line in spec["lines"]}
        values = parts[news.chains[0].stages[name][-1]].values  # pyright: ignore[reportArgumentType]
        assert {"loss", "rewards/chosen", "rewards/rejected"} <= drawn & values.keys()
        assert len(logged(site, trained, name)) == STEPS


def test_a_bundle_without_their_rows_is_told_so_before_anything_trains(site: Site) -> None:
    path = site.settings.home / "bundles" / "first" / "dpo.jsonl"
    kept = path.rename(path.with_suffix(".kept"))
    ended = site.wait(site.start(ChainOrder(stages=("preflight", "dpo"))), is_over)
    kept.rename(path)
    assert stage(ended, "preflight").reason == "training.no_rows"
    assert stage(ended, "dpo").state == "waiting"


def test_one_click_mends_what_preflight_found(site: Site) -> None:
    wrong = {"sft": {"learning_rat": 0.01, "max_steps": 2, "save_steps": 2}}
    order = {"stages": ["preflight", "sft"], "overrides": wrong}
    ended = site.wait(site.start(ChainOrder.model_validate(order)), is_over)
    found = [each for each in stage(ended, "preflight").checks if not each.is_passed]
    assert [each.code for each in found] == ["training.unknown_argument"]
    assert str(chain_drawing(ended, Words("en"))).count("Fix and start again") == 1
    given = (site.database, site.durable, site.settings, site.who)
    again = site.wait(mend_chain(*given, ended.id, found[0].name), is_over)
    assert again.state == "succeeded"
    config = yaml.safe_load(
        (site.settings.home / "runs" / str(stage(again, "sft").run_id) / "config.yaml").read_text()
    )
    assert config["learning_rate"] == 0.01
    with pytest.raises(InvalidInput):
        mend_chain(*given, again.id, "batch")
