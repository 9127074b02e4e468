"""The generated planning task of the experiment: what is asked names who must answer, in order."""

import json
import random
from collections.abc import Iterable, Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any, NamedTuple

from db.engine import Database
from db.tables import Bundle, ListVersion, Project, PromptVersion
from exports.scoring_files import scoring_files
from exports.training.recipes import recipe_files
from schemas.experts import ExpertList
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.prompt import render_messages
from schemas.settings import Settings
from tests.bundles import ASKS, PERIODS, SUBJECTS, Asked, add_benchmark, write_manifest

QUESTIONS = 100
"""Of the benchmark; none of them is trained on."""
TRAINED_ON = 480


class Case(NamedTuple):
    """A question: the experts that must answer in order, and what each is asked."""

    id: str
    experts: tuple[str, ...]
    asks: tuple[str, ...]

    @property
    def query(self) -> str:
        return "，".join(self.asks)


class Task(NamedTuple):
    """The cases to train on and to ask, drawn once with a fixed seed."""

    trained: tuple[Case, ...]
    asked: tuple[Case, ...]


def make_task() -> Task:
    """One or two experts about one matter at one time."""
    orders = [*permutations(ASKS, 1), *permutations(ASKS, 2)]
    cases = [
        Case(
            f"case-{number}",
            experts,
            tuple(ASKS[each].format(period=period, subject=subject) for each in experts),
        )
        for number, (experts, period, subject) in enumerate(product(orders, PERIODS, SUBJECTS))
    ]
    by_query = {case.query: case for case in cases}
    drawn = list(by_query.values())
    random.Random(7).shuffle(drawn)
    return Task(tuple(drawn[QUESTIONS : QUESTIONS + TRAINED_ON]), tuple(drawn[:QUESTIONS]))


def add_questions(database: Database, who: Actor, cases: Sequence[Case]) -> None:
    """The questions under the project's current list."""
    asked = [Asked(case.id, case.query, _plan(case)) for case in cases]
    add_benchmark(database, who, "generated", asked)


def add_bundle(
    database: Database, settings: Settings, who: Actor, cases: Sequence[Case], *, thinks: bool
) -> str:
    """A ready bundle of these cases; its id."""
    name = "thinking" if thinks else "without thinking"
    folder = settings.home / "bundles" / name.replace(" ", "-")
    folder.mkdir(parents=True)
    files = scoring_files() | recipe_files("cpu-smoke", with_thinking=thinks)
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    _write_rows(database, who, folder, cases, thinks=thinks)
    write_manifest(folder, with_thinking=thinks)
    with database.transaction() as session:
        row = Bundle(
            project_id=who.project_id,
            name=name,
            state="ready",
            recipe={},
            folder=str(folder.relative_to(settings.home)),
        )
        session.add(row)
        return row.id


def _write_rows(
    database: Database, who: Actor, folder: Path, cases: Sequence[Case], *, thinks: bool
) -> None:
    with database.reading() as session:
        project = ProjectSettings.model_validate(session.get_one(Project, who.project_id).settings)
        version = session.get_one(ListVersion, str(project.current_list_version_id))
        template = session.get_one(PromptVersion, str(project.current_prompt_version_id)).template
    expert_list = ExpertList.model_validate(version.content)

    def messages(case: Case) -> list[dict[str, str]]:
        return render_messages(
            template,
            expert_list,
            (),
            case.query,
            window=project.window,
            dialect=project.dialect,
            with_thinking=thinks,
        )

    meta = {"dialect": project.dialect, "with_thinking": thinks, "think_min": 20, "think_max": 50}
    _write(
        folder / "sft.jsonl",
        (
            {"messages": [*messages(each), _answer(each, thinks=thinks)], "channel": "accepted"}
            for each in cases
        ),
    )
    _write(
        folder / "grpo.jsonl",
        (
            {
                "messages": messages(each),
                "solution": _solution(each),
                "plan_experts": json.dumps(list(expert_list.names), ensure_ascii=False),
                "plan_meta": json.dumps({**meta, "list_version": "merchant@1"}),
                "plan_id": each.id,
                "chat_template_kwargs": {"enable_thinking": thinks},
            }
            for each in cases
        ),
    )


def _plan(case: Case) -> dict[str, object]:
    pairs = enumerate(zip(case.experts, case.asks, strict=True), 1)
    steps = [{"expert": who, "sub_questions": [ask], "order": at} for at, (who, ask) in pairs]
    return {"rewritten_query": case.query, "steps": steps}


def _solution(case: Case) -> str:
    steps = [
        {"专家": expert, "处理问题": [ask]}
        for expert, ask in zip(case.experts, case.asks, strict=True)
    ]
    return json.dumps({"补全后的问题": case.query, "plan": steps}, ensure_ascii=False)


def _answer(case: Case, *, thinks: bool) -> dict[str, str]:
    """The accepted answer; thinking is of two kinds of length, as people's is."""
    thought = "，再请".join(f"{expert}" for expert in case.experts)
    slow = "先看清楚用户问了几件事，再看每件事归谁管。" if int(case.id[5:]) % 2 else ""
    thinking = f"<think>\n{slow}先请{thought}。这样就够了。\n</think>\n\n" if thinks else ""
    return {"role": "assistant", "content": f"{thinking}<answer>\n{_solution(case)}\n</answer>"}


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
