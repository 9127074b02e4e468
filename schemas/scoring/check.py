"""What is wrong with a plan, in words that an editor can place.

Called alike by editor, submit, reward, export and import, so it takes plain values.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple


class Problem(NamedTuple):
    """One place of a plan that is not as it should be.

    `path` is a JSONPath such as `$.steps[2].sub_questions[1]` (0-based); `code` names a sentence in
    the area `plan`; `values` fills that sentence.
    """

    path: str
    code: str
    values: Mapping[str, object]


def plan_problems(plan: object, expert_names: Collection[str]) -> list[Problem]:
    """Everything wrong with a canonical plan under a list; empty when it may be submitted."""
    raise NotImplementedError
