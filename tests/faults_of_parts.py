"""Faults of what stands beside an answer: rejected answers, calls, prompts of their own, twins."""

import json
from pathlib import Path
from typing import Any

from db.tables import Suggestion
from tests.exporting import a_rederived_trace
from tests.good_bundle import (
    KIND,
    QUERY,
    SOURCE,
    TRACE,
    VARIANT,
    GoodBundle,
    read_manifest,
    read_rows,
    seal,
    write_rows,
)
from tests.planting import (
    Fault,
    Places,
    Plant,
    answer,
    changed,
    lines_of,
    origins_of,
    place_of,
    thinks,
    with_grpo,
)


def _rejected(before: str, after: str) -> Plant:
    """A fault of the rejected answer of a pair that thinks; the chosen one is as it was."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, place = place_of(
            folder, "dpo.jsonl", lambda row, _: row["rejected_response"].startswith("<think>")
        )
        said = rows[place]["rejected_response"]
        assert before in said
        rows[place]["rejected_response"] = said.replace(before, after, 1)
        return changed(folder, "dpo.jsonl", rows, place)

    return plant


def _call_of_another_stage(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(
        folder, "agent.jsonl", lambda row, _: row["messages"][-1]["role"] == "tool_call"
    )
    call = json.loads(answer(rows[place]))
    call["arguments"]["order"] += 1
    rows[place]["messages"][-1]["content"] = json.dumps(call, ensure_ascii=False)
    return changed(folder, "agent.jsonl", rows, place)


def _own_prompt(file: str) -> Plant:
    """One space more in the prompt that a historical chat came with."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, origins = read_rows(folder, file), origins_of(folder, file)
        place = next(n for n, origin in enumerate(origins) if origin[KIND] == "history")
        rows[place]["messages"][0]["content"] += " "
        return changed(folder, file, rows, place)

    return plant


def _twins_prompt(_: GoodBundle, folder: Path) -> Places:
    """A twin is not shown an expert that its rewards are told of."""
    rows, origins = read_rows(folder, "grpo.jsonl"), origins_of(folder, "grpo.jsonl")
    place = next(n for n, origin in enumerate(origins) if origin[VARIANT])
    name = json.loads(rows[place]["plan_experts"])[0]
    system = rows[place]["messages"][0]
    lines = system["content"].splitlines()
    system["content"] = "\n".join(each for each in lines if f"- {name}" not in each)
    return changed(folder, "grpo.jsonl", rows, place)


def _thinking_switched_off(row: dict[str, Any]) -> None:
    """Rewards and template are told the same, but the recipe and the prompt say the opposite."""
    meta = json.loads(row["plan_meta"])
    meta["with_thinking"] = not meta["with_thinking"]
    row["plan_meta"] = json.dumps(meta, ensure_ascii=False)
    row["chat_template_kwargs"] = {"enable_thinking": meta["with_thinking"]}


def _of_another_revision(good: GoodBundle, folder: Path) -> Places:
    """Thinking that was written anew, and accepted for what another query was answered with."""
    rows, place = place_of(
        folder, "sft.jsonl", lambda row, origin: thinks(row) and origin[KIND] == "accepted"
    )
    manifest, row = read_manifest(folder), rows[place]
    origin = manifest["rows"]["sft.jsonl"][place]
    other = next(
        each[SOURCE]
        for each in manifest["rows"]["sft.jsonl"]
        if each[KIND] == "accepted" and each[QUERY] != origin[QUERY]
    )
    trace = "为别的规划重写的思考"
    origin[TRACE] = a_rederived_trace(good.database, good.who, origin[QUERY], other, trace)
    after = answer(row).partition("</think>")[2]
    row["messages"][-1]["content"] = f"<think>\n{trace}\n</think>{after}"
    write_rows(folder, "sft.jsonl", rows)
    seal(folder, manifest)
    return {("sft.jsonl", place + 1)}


def _never_on_its_list(good: GoodBundle, folder: Path) -> Places:
    """A suggestion whose expert its list never had, though it was taken; its rows say the same."""
    origins = {file: origins_of(folder, file) for file in ("sft.jsonl", "agent.jsonl")}
    origin = next(
        each
        for each in origins["sft.jsonl"]
        if each[KIND] == "suggestions"
        and all(
            one[VARIANT] == "" for of in origins.values() for one in of if one[QUERY] == each[QUERY]
        )
        and {file for file, _ in lines_of(folder, each[QUERY])} <= origins.keys()
    )
    with good.database.transaction() as session:
        suggestion = session.get_one(Suggestion, origin[SOURCE])
        plan = json.loads(json.dumps(suggestion.plan))
        before, plan["steps"][0]["expert"] = plan["steps"][0]["expert"], "法务专家"
        suggestion.plan = plan
    places = lines_of(folder, origin[QUERY])
    for file, line in places:
        rows = read_rows(folder, file)
        for message in rows[line - 1]["messages"]:
            if message["role"] == "tool_call" or '{"补全后的问题"' in message["content"]:
                head, start, said = message["content"].rpartition("<answer>")
                message["content"] = head + start + said.replace(f'"{before}"', '"法务专家"')
        write_rows(folder, file, rows)
    seal(folder)
    return places


FAULTS = (
    Fault("an expert that its list never had", "row_expert_outside", _never_on_its_list),
    Fault("thinking written anew for another revision", "row_thinking_stale", _of_another_revision),
    Fault(
        "other thinking in a rejected answer",
        "row_thinking_other",
        _rejected("<think>\n", "<think>\n别的想法。"),
    ),
    Fault(
        "another plan in a rejected answer",
        "row_answer_other",
        _rejected('{"补全后的问题": "', '{"补全后的问题": "另外'),
    ),
    Fault("a call in another stage", "row_answer_other", _call_of_another_stage),
    Fault(
        "a space more in the prompt of a chat in sft", "row_prompt_other", _own_prompt("sft.jsonl")
    ),
    Fault(
        "a space more in the prompt of a chat in grpo",
        "row_prompt_other",
        _own_prompt("grpo.jsonl"),
    ),
    Fault(
        "thinking told otherwise throughout", "row_meta_differs", with_grpo(_thinking_switched_off)
    ),
    Fault("a twin's list cut in its prompt alone", "row_list_cut", _twins_prompt),
)
