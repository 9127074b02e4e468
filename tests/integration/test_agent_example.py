"""The LangChain example plans at an endpoint and runs experts in the plan's order."""

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from db.engine import Database
from exports.contract import contract_of
from exports.evaluate import external_planner
from labeling.prompts import publish_prompt
from schemas.people import Actor
from schemas.prompt import built_in_template
from schemas.scoring.wire import to_text
from schemas.settings import Settings
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "agent_executor.py"
QUERY = "上周的流量怎么样，退款为什么变多了，该怎么办"


@pytest.fixture(scope="module")
def example() -> Any:
    """The file of the example, as a module."""
    spec = importlib.util.spec_from_file_location("agent_executor", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as started:
        yield started


@pytest.fixture
def who(database: Database) -> Actor:
    found = a_project(database)
    publish_prompt(database, found, built_in_template("zh"))
    return found


@pytest.fixture
def contract(
    database: Database, settings: Settings, who: Actor, endpoint: RunningEndpoint
) -> dict[str, Any]:
    external_planner(database, who, endpoint.url, "planner")
    return contract_of(database, settings, who, "planner").model_dump(mode="json")


def recorded(names: list[str]) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, Any]]:
    """Experts that note when they were asked what."""
    told: list[tuple[str, dict[str, Any]]] = []

    def expert(name: str) -> Any:
        def answer(asked: dict[str, Any]) -> str:
            told.append((name, asked))
            return f"{name} says so"

        return RunnableLambda(answer)

    return told, {name: expert(name) for name in names}


def test_a_plan_of_the_endpoint_is_run_in_its_order_with_earlier_answers(
    example: Any, contract: dict[str, Any], endpoint: RunningEndpoint
) -> None:
    endpoint.configure(keep_bodies=True)
    plan = example.planner(contract, "none").invoke(
        {"query": QUERY, "history": [("user", "你好"), ("assistant", "请讲")]}
    )
    names = [step["expert"] for stage in plan["stages"] for step in stage]
    assert names
    told, experts = recorded(contract["experts"])
    answers = example.run_plan(plan, experts)
    assert [name for name, _ in told] == names
    assert list(answers) == names
    for place, (_, asked) in enumerate(told):
        assert asked["query"] == plan["query"]
        assert asked["asked"]
        assert asked["earlier"] == {each: f"{each} says so" for each in names[:place]}
    (body,) = endpoint.counts()["bodies"]
    assert body["messages"][0] == {"role": "system", "content": contract["system"]}
    assert [each["role"] for each in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["chat_template_kwargs"] == {"enable_thinking": True}


def test_experts_of_one_stage_are_asked_at_once(example: Any, contract: dict[str, Any]) -> None:
    first, second, third = contract["experts"][:3]
    plan = {
        "rewritten_query": QUERY,
        "steps": [
            {"expert": first, "sub_questions": ["一"], "order": 1},
            {"expert": second, "sub_questions": ["二"], "order": 1},
            {"expert": third, "sub_questions": ["三"], "order": 2},
        ],
    }
    read = example.read_plan(f"<answer>\n{to_text(plan, 'zh@1')}\n</answer>", contract)
    assert [[step["expert"] for step in stage] for stage in read["stages"]] == [
        [first, second],
        [third],
    ]
    together = threading.Barrier(2, timeout=20)

    def beside(name: str) -> Any:
        def answer(asked: dict[str, Any]) -> str:
            together.wait()
            assert asked["earlier"] == {}
            return name

        return RunnableLambda(answer)

    told, experts = recorded([third])
    example.run_plan(read, {first: beside(first), second: beside(second), **experts})
    assert told[0][1]["earlier"] == {first: first, second: second}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("我不知道", "no <answer>"),
        ("<answer>\n{\n</answer>", "no plan"),
        ('<answer>{"补全后的问题": "问", "plan": [{"专家": "谁"}]}</answer>', "no plan"),
        (
            '<answer>{"补全后的问题": "问", "plan": [{"专家": "谁", "处理问题": ["问"]}]}</answer>',
            "no expert '谁'",
        ),
    ],
)
def test_what_is_no_plan_is_refused_with_its_reason(
    example: Any, contract: dict[str, Any], answer: str, problem: str
) -> None:
    with pytest.raises(example.PlanRefused, match=problem) as refused:
        example.read_plan(answer, contract)
    assert refused.value.answer == answer


def test_the_script_says_stages_and_answers_or_why_there_are_none(
    contract: dict[str, Any], endpoint: RunningEndpoint, tmp_path: Path
) -> None:
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(contract), "utf-8")
    command = [sys.executable, str(EXAMPLE), str(file), QUERY]
    environment = {"PLANNER_KEY": "none", "PATH": ""}
    good = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert good.stdout.startswith("stage 1: ")
    endpoint.configure(bad_plan=1.0)
    bad = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert bad.returncode == 3
    assert "cannot be run" in bad.stderr
