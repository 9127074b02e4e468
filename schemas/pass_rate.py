"""How often a planner is right before GRPO, prompt by prompt: what a group can still teach.

GRPO learns from the differences within a group of completions to one prompt. Where all of them earn
the same, right or wrong, the group teaches nothing and its rollouts are spent in vain.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

_SAME = 1e-6
"""Rewards of a group that are closer than this are the same."""


class Completion(NamedTuple):
    """One completion: whether it is right (`DESIGN` accuracy), its weighted reward, its end."""

    is_right: bool
    total: float
    is_cut_off: bool


class PassRate(BaseModel):
    """Shares (0 to 1) over prompts, and over all completions where it says so.

    `right` and `cut_off` are shares of completions. `always` and `never` are of prompts of which
    every, or no, completion is right; `flat` of prompts whose completions all earn the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int
    completions: int
    right: float
    always: float
    never: float
    flat: float
    cut_off: float
    reward: float


def pass_rate(groups: Mapping[str, Sequence[Completion]]) -> PassRate:
    """The figures of groups of completions by prompt; those without any are left out.

    >>> said = [Completion(True, 1.0, False), Completion(False, 0.4, False)]
    >>> found = pass_rate({"a": said, "b": [said[0], said[0]], "c": []})
    >>> found.prompts, found.right, found.always, found.flat
    (2, 0.75, 0.5, 0.5)
    """
    known = [group for group in groups.values() if group]
    every = [each for group in known for each in group]
    prompts, completions = len(known), len(every)
    rights = [sum(each.is_right for each in group) for group in known]
    flat = sum(
        max(each.total for each in group) - min(each.total for each in group) < _SAME
        for group in known
    )
    return PassRate(
        prompts=prompts,
        completions=completions,
        right=_share(sum(rights), completions),
        always=_share(
            sum(right == len(group) for right, group in zip(rights, known, strict=True)), prompts
        ),
        never=_share(sum(not right for right in rights), prompts),
        flat=_share(flat, prompts),
        cut_off=_share(sum(each.is_cut_off for each in every), completions),
        reward=sum(each.total for each in every) / completions if completions else 0.0,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
