"""The files that the completions of a chain lie in: one for each attempt and each of its nodes.

ms-swift scores on every process the completions that this process sampled, before anything is
gathered (`swift/rlhf_trainers/grpo_trainer.py`, `_compute_rewards_per_func`), so the reward plugin
of each node writes those of its own processes, and no others, to the `rewards.jsonl` of the node's
folder: the run's own folder for the first node, `members/RANK-NODE` in it for each other. Under Ray
the driver scores them all. The nodes of a run share one home, so all of them are read from here;
a node whose folder is not there is named.
"""

import os
from pathlib import Path
from typing import NamedTuple

from db.access import machines, training
from db.engine import Session
from db.tables import GangMember, Run
from exports.training.rollouts import Rollouts, rollouts_of
from schemas.settings import Settings

_NOT_BEGUN = ("asked", "ready")


class Source(NamedTuple):
    """The completions of one node in one attempt; `node` is empty where there is only one."""

    run_id: str
    attempt: int
    rank: int
    node: str
    folder: Path
    run_folder: Path

    @property
    def is_readable(self) -> bool:
        """Whether the folder can be read from here."""
        return os.access(self.folder, os.R_OK | os.X_OK)

    def rollouts(self) -> Rollouts:
        """Its completions as far as they are written; the run's config has the weights."""
        return rollouts_of(self.folder, self.run_folder)


class Place(NamedTuple):
    """A completion for good: its run, its line from 0, and the node whose file it stands in."""

    run_id: str
    line: int
    rank: int = 0

    @property
    def text(self) -> str:
        """How a link names it; of the first node as ever."""
        node = f"{self.rank}:" if self.rank else ""
        return f"{self.run_id}:{node}{self.line}"


def to_place(text: str) -> Place | None:
    """The place that a link names; None where it names none."""
    run_id, *numbers = text.split(":")
    if not run_id or len(numbers) not in (1, 2) or not all(map(_is_number, numbers)):
        return None
    return Place(run_id, int(numbers[-1]), int(numbers[0]) if len(numbers) == 2 else 0)


def sources_of(session: Session, settings: Settings, chain_id: str) -> list[Source]:
    """The files of all attempts of a chain's GRPO, in the order of attempts and nodes."""
    runs = training.list_attempts(session, chain_id, "grpo")
    return [source for run in runs for source in sources_of_run(session, settings, run)]


def sources_of_run(session: Session, settings: Settings, run: Run) -> list[Source]:
    """The files of one attempt, those of nodes that have not begun left out."""
    folder = settings.home / run.folder
    members = machines.list_members(session, run.id)
    if not members:
        return [Source(run.id, run.attempt, 0, "", folder, folder)]
    return [
        Source(run.id, run.attempt, each.rank, each.node, settings.home / each.folder, folder)
        for each in members
        if each.rank == 0 or _has_begun(each)
    ]


def _has_begun(member: GangMember) -> bool:
    return member.state not in _NOT_BEGUN and member.reason != "training.home_not_shared"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
