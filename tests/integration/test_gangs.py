"""A run on two nodes, for real: two workers on loopback, ms-swift on the CPU, gloo between them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database
from exports.training.chain import resume_chain
from exports.training.nodes import answering
from exports.training.process import trainers
from tests.chain_site import LIMIT_S, is_over, stage
from tests.gang_site import Gang, a_gang, ended, token_of

STEPS = 24
pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture
def gang(postgresql_database: Database, tmp_path: Path) -> Iterator[Gang]:
    with a_gang(postgresql_database, tmp_path / "home") as gang:
        yield gang


def _wait_for_steps(gang: Gang, chain_id: str, count: int) -> None:
    view = gang.site.wait(
        chain_id,
        lambda view: is_over(view) or len(view.series.get("sft", {}).get("loss", ())) >= count,
    )
    assert not is_over(view), view


def test_two_nodes_train_together_and_one_loss_ends_both(gang: Gang) -> None:
    """One after another in one installation, because each start costs ten seconds of two cores."""
    gang.workers.start("a")
    chain_id = gang.start(STEPS)
    view = gang.site.wait(chain_id, lambda view: stage(view, "sft").values == {"nodes": "b"})
    waiting = stage(view, "sft")
    assert (waiting.state, waiting.reason) == ("waiting", "training.waiting_for_nodes")
    assert list(answering(gang.site.database)) == ["a"]
    gang.workers.start("b")
    _wait_for_steps(gang, chain_id, 6)
    assert "NNODES=2" in stage(gang.site.view(chain_id), "sft").command
    lead, other = gang.folders(chain_id)
    assert len(trainers(token_of(lead))) == 1
    os.kill(trainers(token_of(other))[0], signal.SIGKILL)
    view = ended(gang, chain_id)
    assert (view.state, stage(view, "sft").reason) == ("failed", "training.member_killed")
    assert stage(view, "sft").values == {"node": "b", "signal": "SIGKILL"}

    resume_chain(gang.site.database, gang.site.durable, gang.site.settings, gang.site.who, chain_id)
    gang.site.wait(chain_id, lambda view: view.finished_at is None)
    view = ended(gang, chain_id)
    assert view.state == "succeeded", view
    steps = [point.step for point in view.series["sft"]["loss"]]
    assert steps == list(range(1, STEPS + 1))

    chain_id = gang.start()
    _wait_for_steps(gang, chain_id, 1)
    gang.workers.kill("a")
    view = ended(gang, chain_id)
    assert (view.state, stage(view, "sft").reason) == ("failed", "training.node_lost")
    assert stage(view, "sft").values == {"node": "a"}
