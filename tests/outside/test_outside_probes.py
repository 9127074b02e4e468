"""Gaming probes on plans that others wrote: `make test-data DATA=folder`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.reward_judgement import ProbedRow, judge_probes
from schemas.reward_probes import PROBES, probe_row, read_asked
from schemas.scoring.rewards import score, weighted_total
from schemas.scoring.wire import to_text
from tests.outside.test_outside_data import rows_of

pytestmark = pytest.mark.outside_data
WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
FILES = ("plans_zh_ultratool", "plans_en_ultratool", "plans_en_bfcl", "traces_en_toolrl",
         "dialogues_zh_crosswoz", "rewrite_en")  # fmt: skip
NO_LIST = ["Analyst", "Doctor", "Strategist", "Librarian", "Registrar"]


def lists_of(folder: Path) -> dict[str, list[str]]:
    values = [json.loads(path.read_text("utf-8")) for path in folder.glob("experts/*.json")]
    values += [each for path in folder.glob("experts/*.jsonl") for each in rows_of(path)]
    return {each["name"]: [expert["name"] for expert in each["experts"]] for each in values}


def grpo_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each plan; where the source says nothing of steps, one step asks the rewrite."""
    lists = lists_of(folder)
    for name in FILES:
        for row in rows_of(folder / f"{name}.jsonl"):
            if row["gold_plan"]:
                yield grpo_row(row, lists.get(row["experts"] or "", NO_LIST))


def grpo_row(row: dict[str, Any], names: list[str]) -> dict[str, Any]:
    rewrite = row["gold_plan"]["rewritten_query"] or row["query"]
    steps = row["gold_plan"]["steps"]
    if steps is None:
        steps = [{"expert": names[0], "sub_questions": [rewrite]}]
    plan = [
        {"expert": each["expert"], "sub_questions": each["sub_questions"] or [rewrite], "order": at}
        for at, each in enumerate(steps, start=1)
    ]
    dialect = "zh@1" if row["lang"] == "zh" else "en@1"
    meta = {"dialect": dialect, "with_thinking": True, "think_min": 60, "think_max": 180}
    return {
        "messages": [
            {"role": "system", "content": "\n".join(names)},
            {"role": "user", "content": row["query"]},
        ],
        "solution": to_text({"rewritten_query": rewrite, "steps": plan}, dialect),
        "plan_experts": json.dumps(names),
        "plan_meta": json.dumps(meta),
        "plan_id": row["id"],
    }


def test_no_probe_reaches_its_ceiling_on_plans_that_others_wrote(folder: Path) -> None:
    rows: list[ProbedRow] = []
    for row in grpo_rows(folder):
        asked = read_asked(row)
        assert asked is not None
        probed = probe_row(asked)
        totals = [weighted_total(score(each.completion, asked.context), WEIGHTS) for each in probed]
        rows.append(ProbedRow(row["plan_id"], probed, totals))
    found = judge_probes(rows)
    assert len(rows) > 1_000
    assert [each.name for each in found] == [each.name for each in PROBES]
    for each in found:
        assert each.is_passed, f"{each.name}: {each.worst}"
