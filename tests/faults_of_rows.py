"""Faults of rows by themselves and among each other: answers, columns, doubles."""

import json
from pathlib import Path

from sqlmodel import select

from db.tables import Query as QueryRow
from tests.good_bundle import (
    AGAINST,
    QUERY,
    TRACE,
    VARIANT,
    GoodBundle,
    read_manifest,
    read_rows,
    seal,
    write_rows,
)
from tests.mixed_lists import ALIKE
from tests.planting import (
    Fault,
    Places,
    Plant,
    answer,
    changed,
    origins_of,
    place_of,
    thinks,
    with_answer,
    with_meta,
)


def _twin_without_its_expert(_: GoodBundle, folder: Path) -> Places:
    rows, origins = read_rows(folder, "grpo.jsonl"), origins_of(folder, "grpo.jsonl")
    place = next(n for n, origin in enumerate(origins) if origin[VARIANT])
    row = rows[place]
    kept = [each for each in json.loads(row["plan_experts"]) if each not in row["solution"]]
    row["plan_experts"] = json.dumps(kept)
    return changed(folder, "grpo.jsonl", rows, place)


def _call_without_its_tool(_: GoodBundle, folder: Path) -> Places:
    rows, origins = read_rows(folder, "agent.jsonl"), origins_of(folder, "agent.jsonl")
    place = next(n for n, origin in enumerate(origins) if origin[VARIANT])
    row = rows[place]
    called = json.loads(answer(row))["name"]
    tools = [each for each in json.loads(row["tools"]) if each["function"]["name"] != called]
    row["tools"] = json.dumps(tools, ensure_ascii=False)
    return changed(folder, "agent.jsonl", rows, place)


def _doubled_id(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(folder, "grpo.jsonl", lambda *_: True)
    another = next(
        n
        for n, origin in enumerate(origins_of(folder, "grpo.jsonl"))
        if n > place and not origin[VARIANT]
    )
    rows[another]["plan_id"] = rows[place]["plan_id"]
    return changed(folder, "grpo.jsonl", rows, another)


def _doubled_row(_: GoodBundle, folder: Path) -> Places:
    rows, manifest = read_rows(folder, "sft.jsonl"), read_manifest(folder)
    rows.append(rows[3])
    manifest["rows"]["sft.jsonl"].append(list(manifest["rows"]["sft.jsonl"][3]))
    write_rows(folder, "sft.jsonl", rows)
    seal(folder, manifest)
    return {("sft.jsonl", len(rows))}


def _equal_neighbours(good: GoodBundle, folder: Path) -> Places:
    """Two honest rows with the same answer, side by side."""
    with good.database.reading() as session:
        ids = set(session.exec(select(QueryRow.id).where(QueryRow.text == ALIKE)).all())
    manifest = read_manifest(folder)
    file = next(
        name
        for name in ("kto.jsonl", "kto_val.jsonl")
        if any(origin[QUERY] in ids for origin in manifest["rows"][name])
    )
    both = list(zip(read_rows(folder, file), manifest["rows"][file], strict=True))
    alike = [each for each in both if each[1][QUERY] in ids]
    pair = [each for each in alike if answer(each[0]) == answer(alike[0][0])]
    assert len(pair) == 2
    rest = [each for each in both if each not in pair]
    both = [*rest, *pair]
    write_rows(folder, file, [row for row, _ in both])
    manifest["rows"][file] = [origin for _, origin in both]
    seal(folder, manifest)
    return {(file, len(both))}


def _rejected_itself(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(
        folder, "dpo.jsonl", lambda row, origin: thinks(row) and bool(origin[TRACE])
    )
    manifest = read_manifest(folder)
    origin = manifest["rows"]["dpo.jsonl"][place]
    origin[AGAINST] = origin[TRACE]
    rows[place]["rejected_response"] = answer(rows[place])
    write_rows(folder, "dpo.jsonl", rows)
    seal(folder, manifest)
    return {("dpo.jsonl", place + 1)}


def _thinking_in_a_plain_row(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(folder, "sft.jsonl", lambda *_: True)
    message = rows[place]["messages"][-1]
    message["content"] = f"<think>\n想一想\n</think>\n\n{message['content']}"
    return changed(folder, "sft.jsonl", rows, place)


def _solution_of_another(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(folder, "grpo.jsonl", lambda *_: True)
    own = rows[place]
    own["solution"] = next(
        row["solution"]
        for row in rows
        if row["plan_experts"] == own["plan_experts"] and row["solution"] != own["solution"]
    )
    return changed(folder, "grpo.jsonl", rows, place)


def _with_column(file: str, column: str, value: object) -> Plant:
    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, place = place_of(folder, file, lambda *_: True)
        rows[place][column] = value
        return changed(folder, file, rows, place)

    return plant


def _doubled_key(text: str) -> str:
    return text.replace('{"补全后的问题"', '{"补全后的问题": "另一个", "补全后的问题"', 1)


def _inside(json_text: str) -> Plant:
    def change(text: str) -> str:
        before = text.partition("<answer>")[0]
        return f"{before}<answer>\n{json_text}\n</answer>"

    return with_answer(change)


FAULTS = (
    Fault("a plan with an expert outside its list", "row_expert_outside", _twin_without_its_expert),
    Fault("a call of a tool that is not offered", "row_expert_outside", _call_without_its_tool),
    Fault("a doubled plan_id", "row_id_doubled", _doubled_id),
    Fault("a doubled row", "row_doubled", _doubled_row),
    Fault(
        "a reserved column name",
        "row_key_reserved",
        _with_column("grpo.jsonl", "rewards", 1.0),
    ),
    Fault(
        "tools outside the agent form",
        "row_tools_unwanted",
        _with_column("sft.jsonl", "tools", "[]"),
    ),
    Fault("kto neighbours with identical answers", "row_neighbour_equal", _equal_neighbours, True),
    Fault("a rejected answer that is the chosen one", "row_rejected_equal", _rejected_itself),
    Fault("an empty assistant answer", "row_answer_empty", with_answer(lambda _: "")),
    Fault("nothing inside the answer", "row_answer_empty", _inside(" ")),
    Fault(
        "an answer without thinking where the recipe thinks",
        "row_thinking_missing",
        with_answer(lambda text: text.partition("</think>\n\n")[2]),
    ),
    Fault(
        "thinking where the recipe does not think",
        "row_thinking_unwanted",
        _thinking_in_a_plain_row,
        True,
    ),
    Fault(
        "thinking twice",
        "row_thinking_twice",
        with_answer(lambda text: f"<think>\n先想想\n</think>\n\n{text}"),
    ),
    Fault("a word after the answer", "row_answer_form", with_answer(lambda text: f"{text}\n完")),
    Fault("an answer that is not JSON", "row_answer_not_json", _inside("{不是 JSON}")),
    Fault("an answer with doubled keys", "row_answer_doubled_key", with_answer(_doubled_key)),
    Fault("an answer that is no plan", "row_answer_no_plan", _inside('{"补全后的问题": "看"}')),
    Fault("the solution of another query", "row_answer_other", _solution_of_another),
    Fault("plan_meta of another dialect", "row_meta_differs", with_meta(dialect="en@1")),
    Fault("plan_meta with another length", "row_meta_differs", with_meta(think_min=1)),
    Fault(
        "plan_meta that does not think where the prompt does",
        "row_meta_differs",
        _with_column("grpo.jsonl", "chat_template_kwargs", {"enable_thinking": None}),
    ),
)
