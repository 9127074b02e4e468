"""An agent executor in LangChain: a planner makes the plan, experts answer it stage by stage.

    python app.py deploy PLANNER                            # prints the key, this once
    python app.py planners contract PLANNER --json > contract.json
    PLANNER_KEY=… python docs/examples/agent_executor.py contract.json "上周的流量为什么掉了"

Only `langchain-core` and `langchain-openai` are needed; nothing of Planwright is imported. Replace
`echo_experts` by your own agents: anything that LangChain can invoke.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_openai import ChatOpenAI

ANSWER = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL)
KEYS = {
    "zh": {
        "query": "补全后的问题",
        "steps": "plan",
        "expert": "专家",
        "asked": "处理问题",
        "order": "顺序",
    },
    "en": {
        "query": "rewritten_query",
        "steps": "steps",
        "expert": "expert",
        "asked": "sub_questions",
        "order": "order",
    },
}
"""What a plan is written with, by dialect."""
Plan = dict[str, Any]
Expert = Runnable[dict[str, Any], str]


class PlanRefused(ValueError):
    """The planner's answer holds no plan that can be run; `answer` is what it wrote."""

    def __init__(self, problems: Sequence[str], answer: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.answer = answer


def planner(
    contract: Mapping[str, Any], key: str, *, max_tokens: int = 2048
) -> Runnable[Any, Plan]:
    """Query and history → a plan, asked as the planner was trained to be asked.

    The input is `{"query": text, "history": [(role, text), …]}`.
    """
    model = ChatOpenAI(
        base_url=contract["url"],
        api_key=key,  # pyright: ignore[reportArgumentType]
        model=contract["model"],
        temperature=0,
        max_tokens=max_tokens,  # pyright: ignore[reportCallIssue]
        extra_body={"chat_template_kwargs": {"enable_thinking": contract["with_thinking"]}},
    )

    def ask(asked: Mapping[str, Any]) -> list[BaseMessage]:
        turns = (
            list(asked.get("history") or [])[-contract["window"] :] if contract["window"] else []
        )
        known: dict[str, Callable[..., BaseMessage]] = {
            "user": HumanMessage,
            "assistant": AIMessage,
        }
        messages = [known[role](content=text) for role, text in turns]
        return [SystemMessage(contract["system"]), *messages, HumanMessage(asked["query"])]

    def read(message: BaseMessage) -> Plan:
        return read_plan(str(message.content), contract)

    return RunnableLambda(ask) | model | RunnableLambda(read)


def read_plan(answer: str, contract: Mapping[str, Any]) -> Plan:
    """The plan in an answer: `{"query": text, "stages": [[{"expert", "asked"}, …], …]}`.

    Raises:
        PlanRefused: there is none, or it calls experts that are not on the list.
    """
    keys = KEYS[contract["dialect"].partition("@")[0]]
    found = ANSWER.search(answer)
    if found is None:
        raise PlanRefused(["no <answer> in what the planner wrote"], answer)
    try:
        plan = json.loads(found[1])
        steps = [
            {
                "expert": step[keys["expert"]],
                "asked": list(step[keys["asked"]]),
                "order": int(step.get(keys["order"], place)),
            }
            for place, step in enumerate(plan[keys["steps"]], 1)
        ]
        query = str(plan[keys["query"]])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlanRefused([f"the answer is no plan: {error!r}"], answer) from error
    unknown = [step["expert"] for step in steps if step["expert"] not in contract["experts"]]
    problems = [f"there is no expert {name!r}" for name in dict.fromkeys(map(str, unknown))]
    problems += [f"{step['expert']} is asked nothing" for step in steps if not step["asked"]]
    if problems:
        raise PlanRefused(problems, answer)
    orders = sorted({step["order"] for step in steps})
    stages = [[step for step in steps if step["order"] == order] for order in orders]
    if any(len({step["expert"] for step in stage}) < len(stage) for stage in stages):
        raise PlanRefused(["one expert stands twice in one stage"], answer)
    return {"query": query, "stages": stages}


def run_plan(plan: Plan, experts: Mapping[str, Expert]) -> dict[str, str]:
    """Every expert's last answer, by name: stages one after another, a stage's experts at once.

    An expert is given `{"query", "asked", "earlier"}`; `earlier` are the answers of the stages
    before.
    """
    answers: dict[str, str] = {}
    for stage in plan["stages"]:
        at_once: Runnable[Any, dict[str, str]] = RunnableParallel(
            {
                step["expert"]: RunnableLambda(
                    lambda earlier, asked=step["asked"]: {
                        "query": plan["query"],
                        "asked": asked,
                        "earlier": earlier,
                    }
                )
                | experts[step["expert"]]
                for step in stage
            }
        )
        answers = answers | at_once.invoke(dict(answers))
    return answers


def echo_experts(names: Sequence[str]) -> dict[str, Expert]:
    """Stand-ins that say what they were asked and what they knew; put your agents here."""

    def expert(name: str) -> Expert:
        def answer(asked: dict[str, Any]) -> str:
            known = f" (knowing {', '.join(asked['earlier'])})" if asked["earlier"] else ""
            return f"{name}: {' / '.join(asked['asked'])}{known}"

        return RunnableLambda(answer)

    return {name: expert(name) for name in names}


def main(contract_file: str, query: str, max_tokens: str = "2048") -> int:
    """Plan and run; exit code 3 where the planner's answer is no plan that can be run."""
    contract = json.loads(Path(contract_file).read_text("utf-8"))
    try:
        asked = planner(contract, os.environ["PLANNER_KEY"], max_tokens=int(max_tokens))
        plan = asked.invoke({"query": query})
    except PlanRefused as refused:
        print("The planner's answer cannot be run:", file=sys.stderr)
        print("\n".join(f"- {each}" for each in refused.problems), file=sys.stderr)
        print(refused.answer, file=sys.stderr)
        return 3
    for number, stage in enumerate(plan["stages"], 1):
        print(f"stage {number}: {', '.join(step['expert'] for step in stage)}")
    print("\n".join(run_plan(plan, echo_experts(contract["experts"])).values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
