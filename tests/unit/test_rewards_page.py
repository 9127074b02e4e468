"""`docs/rewards.md` says what is so: its examples run, weights and probes are those there are."""

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.dialects import render_plain_answer
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.reward_probes import PROBES
from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import score, weighted_total
from schemas.sentences import sentence

PAGE = Path(__file__).parents[2] / "docs" / "rewards.md"
NAMES = frozenset({"数据分析专家", "诊断专家", "策略推荐专家"})
WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
THINKING = "用户要看上周的周报，再找流量下降的原因。"


def scores_of(plan: dict[str, Any], accepted: dict[str, Any]) -> dict[str, float]:
    context = ScoringContext(True, "en@1", NAMES, accepted, think_min=10, think_max=40)
    scores = score(render_plain_answer(plan, "en@1", THINKING), context)
    total = {"total": weighted_total(scores, WEIGHTS)}
    return {name: round(value, 3) for name, value in (scores | total).items()}


def table_rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with this word."""
    text = PAGE.read_text("utf-8").partition(f"| {first} |")[2].partition("\n\n")[0]
    lines = text.splitlines()[2:]
    return [[cell.strip(" *`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_worked_examples_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, globs={"scores_of": scores_of})
    assert result.failed == 0
    assert result.attempted >= 5


def test_the_rewards_stand_with_their_weights() -> None:
    rows = table_rows("reward")
    assert [row[0] for row in rows] == list(REWARDS)
    assert [float(row[1]) for row in rows] == list(DEFAULT_WEIGHTS)


def test_the_probes_stand_with_what_they_do() -> None:
    rows = table_rows("probe")
    told = [(row[0], row[1]) for row in rows]
    known = [(each.name, sentence(f"rewards.probe_{each.name}", {}, "en")) for each in PROBES]
    assert told == known
    bold = set(re.findall(r"\*\*`(\w+)`\*\*", PAGE.read_text("utf-8")))
    assert bold == {each.name for each in PROBES if each.must_cost}


def test_a_probe_of_the_page_earns_no_more_than_its_ceiling() -> None:
    for _, _, earns, ceiling, times, reached, _ in table_rows("probe"):
        assert float(earns) <= float(ceiling)
        assert int(times) > 0
        assert reached == "0"


@pytest.mark.parametrize("name", ["en", "zh"])
def test_the_sentences_of_the_bench_are_all_used(name: str) -> None:
    folder = Path(__file__).parents[2]
    held = json.loads((folder / f"schemas/sentences/{name}/rewards.json").read_text("utf-8"))
    code = "".join(
        (folder / path).read_text("utf-8")
        for path in ("exports/reward_report.py", "exports/reward_bench.py",
                     "exports/reward_bench_work.py", "exports/reward_commands.py",
                     "schemas/reward_reasons.py")
    )  # fmt: skip
    parts = ("probe_", "question_", "not_", "no_completion", "bench_no_", "bench_nothing")
    unused = [each for each in held if each not in code and not each.startswith(parts)]
    assert unused == []
