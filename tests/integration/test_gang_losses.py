"""Whatever a gang loses, both nodes end and the reason is told; the trainers here are stand-ins."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.durable import enqueue
from db.engine import Database
from db.tables import Chain
from exports.training import launch
from exports.training.chain import (
    resume_chain,
    run_chain,
    start_chain,
    stop_chain,
    workflow_id,
)
from exports.training.nodes import answering
from exports.training.process import processes_with, trainers
from schemas.errors import InvalidInput
from schemas.training import ChainOrder
from tests.chain_site import LIMIT_S, is_over, stage
from tests.fakes.trainer import write_swift
from tests.gang_site import Gang, a_gang, ended, token_of, wait

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture
def gang(postgresql_database: Database, tmp_path: Path) -> Iterator[Gang]:
    """Both workers run; a stand-in trains until it is told to leave."""
    python = write_swift(tmp_path, "go on")
    with a_gang(postgresql_database, tmp_path / "home", python) as gang:
        gang.workers.start("a")
        gang.workers.start("b")
        yield gang


def _running(gang: Gang) -> tuple[str, Path, Path]:
    chain_id = gang.start(model=gang.site.settings.home)
    gang.site.wait(chain_id, lambda view: is_over(view) or stage(view, "sft").run_id is not None)
    lead, other = gang.folders(chain_id)
    wait(lambda: (lead / "ready").exists() and (other / "ready").exists())
    wait(lambda: launch.look(lead).state == launch.look(other).state == "running")
    return chain_id, lead, other


def _kill_trainer(folder: Path) -> None:
    os.kill(trainers(token_of(folder))[0], signal.SIGKILL)


def _kill_supervisor(folder: Path) -> None:
    status = launch.read_status(folder)
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)


def test_each_loss_ends_both_and_is_told_by_name(gang: Gang) -> None:
    """Trainer, supervisor and worker of the leading node and of the other, killed with -9."""
    for victim, reason in (
        ("trainer a", "training.member_killed"),
        ("supervisor a", "training.member_lost"),
        ("supervisor b", "training.member_lost"),
        ("worker b", "training.node_lost"),
    ):
        what, node = victim.split()
        chain_id, lead, other = _running(gang)
        folder = lead if node == "a" else other
        match what:
            case "trainer":
                _kill_trainer(folder)
            case "supervisor":
                _kill_supervisor(folder)
            case _:
                gang.workers.kill(node)
        view = ended(gang, chain_id)
        assert (view.state, stage(view, "sft").reason) == ("failed", reason), victim
        assert stage(view, "sft").values["node"] == node, victim
        for each in (lead, other):
            assert len((each / "starts").read_text().split()) == 1


def test_a_worker_that_is_asked_to_leave_takes_its_gang_down(gang: Gang) -> None:
    chain_id, _lead, _other = _running(gang)
    gang.workers.running["b"].terminate()
    gang.workers.running.pop("b").wait()
    view = ended(gang, chain_id)
    assert stage(view, "sft").reason == "training.node_lost"
    assert stage(view, "sft").values == {"node": "b"}
    assert "b" not in answering(gang.site.database)


def test_a_gang_whose_driver_is_gone_ends_too_and_its_end_is_found(gang: Gang) -> None:
    chain_id, lead, other = _running(gang)
    gang.site.durable.close()
    _kill_trainer(other)
    wait(lambda: launch.look(lead).state in launch.OVER)
    gang.site.durable.launch()
    view = ended(gang, chain_id)
    assert stage(view, "sft").reason == "training.member_killed"
    assert stage(view, "sft").values == {"node": "b", "signal": "SIGKILL"}


def test_a_stop_lets_all_leave(gang: Gang) -> None:
    chain_id, _lead, _other = _running(gang)
    stop_chain(gang.site.database, gang.site.settings, gang.site.who, chain_id)
    view = ended(gang, chain_id)
    assert (view.state, stage(view, "sft").reason) == ("stopped", "training.stopped_saved")


def test_a_gang_that_waits_for_a_node_can_be_stopped_and_holds_nobody_up(gang: Gang) -> None:
    gang.workers.kill("b")
    wait(lambda: list(answering(gang.site.database)) == ["a"])
    chain_id = gang.start(model=gang.site.settings.home)
    view = gang.site.wait(chain_id, lambda view: stage(view, "sft").values == {"nodes": "b"})
    assert view.state == "waiting"
    stop_chain(gang.site.database, gang.site.settings, gang.site.who, chain_id)
    view = gang.site.wait(chain_id, is_over)
    assert stage(view, "sft").reason == "training.stopped_waiting"
    gang.workers.start("b")
    chain_id, _lead, _other = _running(gang)
    stop_chain(gang.site.database, gang.site.settings, gang.site.who, chain_id)
    ended(gang, chain_id)


def test_a_chain_whose_worker_is_gone_is_driven_by_whoever_goes_on_with_it(gang: Gang) -> None:
    """Its trainer was never disturbed, and is not started again."""
    gang.workers.kill("b")
    site = gang.site
    order = ChainOrder(stages=("sft",), model=str(site.settings.home)).model_dump(mode="json")
    with site.database.transaction() as session:
        chain = Chain(
            project_id=site.who.project_id,
            bundle_id=site.bundle_id,
            recipe="cpu-smoke",
            order=order,
        )
        session.add(chain)
    enqueue(site.settings, site.database, run_chain, workflow_id(chain.id, 1), chain.id)
    site.wait(chain.id, lambda view: stage(view, "sft").run_id is not None)
    folder = site.settings.home / "runs" / stage(site.view(chain.id), "sft").run_id
    wait((folder / "ready").exists)
    gang.workers.kill("a")
    assert launch.look(folder).state == "running"
    resume_chain(site.database, site.durable, site.settings, site.who, chain.id)
    stop_chain(site.database, site.settings, site.who, chain.id)
    view = site.wait(chain.id, is_over)
    assert (view.state, stage(view, "sft").reason) == ("stopped", "training.stopped_saved")
    assert len((folder / "starts").read_text().split()) == 1
    wait(lambda: processes_with(token_of(folder)) == [])


def test_nodes_that_cannot_be_are_refused(gang: Gang) -> None:
    with pytest.raises(InvalidInput) as refused:
        gang.site.start(ChainOrder(stages=("sft",), nodes=("a", "a")))
    assert refused.value.code == "training.node_named_twice"
    site = gang.site
    order = ChainOrder(stages=("sft",), nodes=("a", "b"), model=str(site.settings.home))
    chain_id = start_chain(
        site.database, site.durable, site.settings, site.who, site.bundle_id, "single-gpu", order
    )
    view = site.wait(chain_id, is_over)
    assert stage(view, "sft").reason == "training.node_has_too_few_devices"
    assert stage(view, "sft").values == {"node": "a", "wanted": "1", "found": "0"}
