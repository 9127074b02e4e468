"""A bundle folder of the shape that exports write, for tests of training alone."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from db.engine import Database
from db.tables import Benchmark, BenchmarkQuestion, Bundle, Project
from exports.scoring_files import scoring_files
from exports.training.recipes import recipe_files
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.settings import Settings

EXPERTS = {
    "数据分析专家": "查询经营数据，制作日报、周报和月报，解读指标的变化",
    "诊断专家": "诊断流量、转化、退款和评分异常的原因",
    "策略推荐专家": "推荐营销、定价和投放的策略",
    "知识问答专家": "解答平台的规则、费用和操作步骤",
    "活动报名专家": "查询可以报名的活动，协助商家报名",
}
SUBJECTS = ("流量", "转化率", "退款率", "客单价", "复购率", "店铺评分", "订单量", "新客数")
PERIODS = ("昨天", "上周", "本月", "上个月", "今年", "大促期间")
ASKS = {
    "数据分析专家": "查看{period}的{subject}",
    "诊断专家": "{period}的{subject}为什么下降",
    "策略推荐专家": "怎样提升{subject}",
    "知识问答专家": "{subject}是怎么计算的",
    "活动报名专家": "哪些活动能带动{subject}",
}
SYSTEM = (
    "你是商家助手的规划器。根据对话和专家列表，改写用户的问题，选出要调用的专家，安排先后，"
    "并给每位专家写出要处理的问题。先思考，再在 <answer> 里只写一个 JSON。\n专家列表：\n{experts}"
)


RECIPE: dict[str, object] = {
    "name": "from tests",
    "sft": {"sources": [{"kind": "suggestions"}]},
    "grpo": {"sources": [{"kind": "accepted"}]},
}


def a_bundle_folder(folder: Path, rows: int = 32, *, with_thinking: bool = True) -> Path:
    """Dataset files, reward plugin, the recipe `cpu-smoke`, and their manifest."""
    folder.mkdir(parents=True)
    for name, content in (
        scoring_files() | recipe_files("cpu-smoke", with_thinking=with_thinking)
    ).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    cases = [_case(number) for number in range(rows)]
    _write(folder / "sft.jsonl", (_sft_row(each, with_thinking) for each in cases))
    _write(folder / "grpo.jsonl", (_grpo_row(each, with_thinking) for each in cases))
    write_manifest(folder, with_thinking=with_thinking)
    return folder


def add_preferences(folder: Path, rows: int = 16) -> None:
    """Rows for DPO and KTO: the accepted answer, and that of another question."""
    cases = [_case(number) for number in range(rows + 2)]
    dpo: list[dict[str, object]] = []
    kto: list[dict[str, object]] = []
    for number, (case, other) in enumerate(zip(cases, cases[2:], strict=False)):
        wrong = _content(other, with_thinking=True)
        dpo.append({**_sft_row(case, with_thinking=True), "rejected_response": wrong})
        is_good = number % 2 == 0
        said = _content(case, with_thinking=True) if is_good else wrong
        messages = [*_messages(case), {"role": "assistant", "content": said}]
        kto.append({"messages": messages, "channel": "suggestions", "label": is_good})
    _write(folder / "dpo.jsonl", iter(dpo))
    _write(folder / "kto.jsonl", iter(kto))
    write_manifest(folder)


def a_bundle(
    database: Database, settings: Settings, who: Actor, *, rows: int = 32, name: str = "first"
) -> str:
    """A ready bundle with its folder; its id."""
    a_bundle_folder(settings.home / "bundles" / name, rows)
    with database.transaction() as session:
        row = Bundle(
            project_id=who.project_id,
            name=name,
            state="ready",
            recipe=RECIPE,
            folder=f"bundles/{name}",
        )
        session.add(row)
        return row.id


class Asked(NamedTuple):
    """A question of a benchmark, with its accepted plan."""

    id: str
    text: str
    plan: dict[str, object]


def a_benchmark(database: Database, who: Actor, questions: int = 4) -> str:
    """A benchmark under the project's current list; its id."""
    cases = [_case(number * 5 + 1) for number in range(questions)]
    asked = [Asked(str(case["id"]), str(case["query"]), _plan(case)) for case in cases]
    return add_benchmark(database, who, "standard", asked)


def add_benchmark(database: Database, who: Actor, name: str, questions: Iterable[Asked]) -> str:
    """These questions under the project's current list; the benchmark's id."""
    with database.transaction() as session:
        project = ProjectSettings.model_validate(session.get_one(Project, who.project_id).settings)
        row = Benchmark(
            project_id=who.project_id,
            name=name,
            version=1,
            content_hash="0" * 64,
            list_version_id=str(project.current_list_version_id),
        )
        session.add(row)
        session.flush()
        for each in questions:
            session.add(
                BenchmarkQuestion(
                    project_id=who.project_id,
                    benchmark_id=row.id,
                    import_key=each.id,
                    content_hash=each.id,
                    text=each.text,
                    plan=each.plan,
                    cluster=each.id,
                )
            )
        return row.id


def _plan(case: dict[str, str | tuple[str, ...]]) -> dict[str, object]:
    steps = [
        {"expert": expert, "sub_questions": [ask], "order": order}
        for order, (expert, ask) in enumerate(zip(case["experts"], case["asks"], strict=True), 1)
    ]
    return {"rewritten_query": case["query"], "steps": steps}


def write_manifest(folder: Path, *, with_thinking: bool = True) -> None:
    """Rows and SHA-256 of every file there is, as a bundle's manifest holds them."""
    files = {
        str(path.relative_to(folder)): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rows": path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else None,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    manifest = {"files": files, "recipe": {"with_thinking": with_thinking}}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def _case(number: int) -> dict[str, str | tuple[str, ...]]:
    groups = [*combinations(EXPERTS, 1), *combinations(EXPERTS, 2)]
    period, subject = PERIODS[number % 6], SUBJECTS[(number // 3) % 8]
    experts = groups[(number * 7) % len(groups)]
    asks = tuple(ASKS[each].format(period=period, subject=subject) for each in experts)
    return {"id": f"case-{number}", "experts": experts, "asks": asks, "query": "，".join(asks)}


def _answer(case: dict[str, str | tuple[str, ...]]) -> str:
    steps = [
        {"专家": expert, "处理问题": [ask]}
        for expert, ask in zip(case["experts"], case["asks"], strict=True)
    ]
    return json.dumps({"补全后的问题": case["query"], "plan": steps}, ensure_ascii=False)


def _messages(case: dict[str, str | tuple[str, ...]]) -> list[dict[str, str]]:
    listed = "\n".join(f"- {name}：{text}" for name, text in EXPERTS.items())
    return [
        {"role": "system", "content": SYSTEM.replace("{experts}", listed)},
        {"role": "user", "content": str(case["query"])},
    ]


def _content(case: dict[str, str | tuple[str, ...]], with_thinking: bool) -> str:
    thought = "".join(
        f"用户想知道{ask}，这属于{expert}的职责。"
        for expert, ask in zip(case["experts"], case["asks"], strict=True)
    )
    thinking = f"<think>\n{thought}按这个顺序安排即可。\n</think>\n\n" if with_thinking else ""
    return f"{thinking}<answer>\n{_answer(case)}\n</answer>"


def _sft_row(case: dict[str, str | tuple[str, ...]], with_thinking: bool) -> dict[str, object]:
    content = _content(case, with_thinking)
    return {
        "messages": [*_messages(case), {"role": "assistant", "content": content}],
        "channel": "suggestions",
    }


def _grpo_row(case: dict[str, str | tuple[str, ...]], with_thinking: bool) -> dict[str, object]:
    meta = {
        "dialect": "zh@1",
        "with_thinking": with_thinking,
        "think_min": 30,
        "think_max": 60,
        "list_version": "merchant@1",
    }
    return {
        "messages": _messages(case),
        "solution": _answer(case),
        "plan_experts": json.dumps(list(EXPERTS), ensure_ascii=False),
        "plan_meta": json.dumps(meta),
        "plan_id": case["id"],
        "chat_template_kwargs": {"enable_thinking": with_thinking},
    }


def _write(path: Path, rows: Iterator[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
