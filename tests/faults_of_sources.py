"""Faults of what rows are made of: leaks, splits, stale thinking, lists, plans of others."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlmodel import select

from db.tables import Benchmark, BenchmarkQuestion, NearCluster, Suggestion
from db.tables import Query as QueryRow
from labeling import gold
from tests.exporting import a_plan
from tests.good_bundle import (
    KIND,
    QUERY,
    TRACE,
    VARIANT,
    GoodBundle,
    read_manifest,
    read_rows,
    seal,
    write_manifest,
    write_rows,
)
from tests.mixed_lists import DISTINCT, a_distinct, the_rewrite
from tests.planting import (
    Fault,
    Places,
    Plant,
    answer,
    changed,
    lines_of,
    meta,
    origins_of,
    place_of,
    the_prompt_under,
    thinks,
    with_answer,
    with_grpo,
    with_meta,
)

REWRITE = "谁都没有问过的改写"


def _benchmark(text: Callable[[str], str], rewrite: str = REWRITE, number: int = 0) -> Plant:
    """A question of the bundle is one to evaluate with, in other clothes."""

    def plant(good: GoodBundle, folder: Path) -> Places:
        asked = a_distinct(number)
        with good.database.transaction() as session:
            query_id = session.exec(select(QueryRow.id).where(QueryRow.text == asked)).one()
            benchmark = Benchmark(
                project_id=good.who.project_id,
                name="standard",
                version=1,
                content_hash="0",
                list_version_id=good.mixed.lists["merchant@1"],
            )
            session.add(benchmark)
            session.flush()
            question = BenchmarkQuestion(
                project_id=good.who.project_id,
                benchmark_id=benchmark.id,
                import_key="1",
                content_hash="0",
                text=text(asked),
                plan=a_plan(rewrite),
                cluster="0",
            )
            session.add(question)
        places = lines_of(folder, query_id)
        if rewrite != REWRITE:  # how models rewrote it is no reason to leave a label out
            places = {each for each in places if not each[0].startswith("kto")}
        return places

    return plant


def _benchmark_of_a_twin(good: GoodBundle, folder: Path) -> Places:
    with good.database.reading() as session:
        texts = dict(session.exec(select(QueryRow.text, QueryRow.id)).all())
    twins = {origin[QUERY] for origin in origins_of(folder, "grpo.jsonl") if origin[VARIANT]}
    number = next(n for n in range(len(DISTINCT)) if texts[a_distinct(n)] in twins)
    return _benchmark(lambda asked: asked, number=number)(good, folder)


def _gold(good: GoodBundle, folder: Path) -> Places:
    asked = a_distinct(1)
    with good.database.reading() as session:
        query_id = session.exec(select(QueryRow.id).where(QueryRow.text == asked)).one()
    gold.set_gold(good.database, good.who, query_id, a_plan(asked))
    return lines_of(folder, query_id)


def _twin_on_the_other_side(_: GoodBundle, folder: Path) -> Places:
    manifest = read_manifest(folder)
    origins, others = manifest["rows"]["sft.jsonl"], manifest["rows"]["sft_val.jsonl"]
    place = next(n for n, origin in enumerate(origins) if origin[VARIANT])
    rows, validating = read_rows(folder, "sft.jsonl"), read_rows(folder, "sft_val.jsonl")
    validating.append(rows.pop(place))
    others.append(origins.pop(place))
    write_rows(folder, "sft.jsonl", rows)
    write_rows(folder, "sft_val.jsonl", validating)
    seal(folder, manifest)
    return {("sft_val.jsonl", len(validating))}


def _cluster_on_both_sides(good: GoodBundle, folder: Path) -> Places:
    """Two queries turn out to be one question."""
    _, place = place_of(folder, "sft.jsonl", lambda *_: True)
    training = origins_of(folder, "sft.jsonl")[place][QUERY]
    _, place = place_of(folder, "sft_val.jsonl", lambda *_: True)
    validating = origins_of(folder, "sft_val.jsonl")[place][QUERY]
    with good.database.transaction() as session:
        cluster = session.get_one(QueryRow, training).cluster
        session.get_one(QueryRow, validating).cluster = cluster
    return lines_of(folder, validating)


def _near_on_the_other_side(good: GoodBundle, folder: Path) -> Places:
    """All lines of a question that others ask nearly go from training to validation, by hand."""
    with good.database.reading() as session:
        clusters = dict(session.exec(select(QueryRow.id, QueryRow.cluster)).all())
        keys = {each.cluster: each for each in session.exec(select(NearCluster))}
    manifest: dict[str, Any] = read_manifest(folder)
    places: Places = set()
    training = {
        origin[QUERY]: keys[clusters[origin[QUERY]]]
        for file, origins in manifest["rows"].items()
        for origin in origins
        if "_val" not in file and origin[KIND] == "accepted"
    }
    counts = Counter(each.key for each in training.values() if not each.is_bridge)
    moved = next(each for each, its in training.items() if counts[its.key] > 1)
    for file, origins in manifest["rows"].items():
        if "_val" in file:
            continue
        own = [place for place, origin in enumerate(origins) if origin[QUERY] == moved]
        rows = read_rows(folder, file)
        for place in reversed(own):
            other = file.replace(".jsonl", "_val.jsonl")
            validating = [*read_rows(folder, other), rows.pop(place)]
            manifest["rows"][other].append(origins.pop(place))
            write_rows(folder, other, validating)
            places.add((other, len(validating)))
        write_rows(folder, file, rows)
    seal(folder, manifest)
    return places


def _in_both_pools(good: GoodBundle, folder: Path) -> Places:
    manifest = read_manifest(folder)
    manifest["recipe"]["pools"] = "apart"
    write_manifest(folder, manifest)
    with good.database.reading() as session:
        clusters = dict(session.exec(select(QueryRow.id, QueryRow.cluster)).all())
    files = manifest["rows"].items()
    in_sft = {
        clusters[origin[QUERY]]
        for file, origins in files
        for origin in origins
        if file.startswith(("sft", "agent"))
    }
    return {
        (file, line)
        for file, origins in files
        for line, origin in enumerate(origins, start=1)
        if not file.startswith(("sft", "agent")) and clusters[origin[QUERY]] in in_sft
    }


def _stale(file: str) -> Plant:
    """The thinking of a corrected suggestion, though another led to the accepted plan."""

    def plant(good: GoodBundle, folder: Path) -> Places:
        with good.database.reading() as session:
            wrong = {
                each.query_id: each
                for each in session.exec(select(Suggestion))
                if (each.trace or "").startswith("错的思考")
            }
        rows, place = place_of(
            folder,
            file,
            lambda row, origin: (
                thinks(row) and origin[KIND] == "accepted" and origin[QUERY] in wrong
            ),
        )
        manifest, row = read_manifest(folder), rows[place]
        origin = manifest["rows"][file][place]
        suggestion = wrong[origin[QUERY]]
        origin[TRACE] = suggestion.id
        after = answer(row).partition("</think>")[2]
        row["messages"][-1]["content"] = f"<think>\n{suggestion.trace}\n</think>{after}"
        write_rows(folder, file, rows)
        seal(folder, manifest)
        return {(file, place + 1)}

    return plant


def _shows_another_list(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(
        folder,
        "grpo.jsonl",
        lambda row, _: meta(row)["list_version"] == "merchant@2" and meta(row)["with_thinking"],
    )
    rows[place]["messages"][0]["content"] = the_prompt_under(folder, "merchant@1")
    return changed(folder, "grpo.jsonl", rows, place)


def _cut_prompt(file: str) -> Plant:
    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, place = place_of(folder, file, lambda *_: True)
        system = rows[place]["messages"][0]
        lines = system["content"].splitlines()
        system["content"] = "\n".join(each for each in lines if "知识问答专家" not in each)
        return changed(folder, file, rows, place)

    return plant


def _cut_names(row: dict[str, Any]) -> None:
    names = json.loads(row["plan_experts"])
    unused = next(each for each in reversed(names) if each not in row["solution"])
    row["plan_experts"] = json.dumps([each for each in names if each != unused])


def _other_prompt(_: GoodBundle, folder: Path) -> Places:
    rows, place = place_of(folder, "sft.jsonl", lambda *_: True)
    rows[place]["messages"][0]["content"] += "\n多出来的一句。"
    return changed(folder, "sft.jsonl", rows, place)


FAULTS = (
    Fault("a benchmark question in train", "row_of_benchmark", _benchmark(lambda asked: asked)),
    Fault(
        "a near-duplicate of a benchmark question",
        "row_of_benchmark",
        _benchmark(lambda asked: asked.replace("和去年", "与去年") + "呢"),
    ),
    Fault("the twin of a benchmark question", "row_of_benchmark", _benchmark_of_a_twin),
    Fault(
        "a rewrite that is a benchmark question's",
        "row_of_benchmark",
        _benchmark(lambda _: "另一个说法", f"{the_rewrite(0)}！"),
    ),
    Fault("a gold question in train", "row_of_benchmark", _gold),
    Fault("a twin in the other split", "row_on_both_sides", _twin_on_the_other_side),
    Fault(
        "a cluster in train and in validation", "row_on_both_sides", _cluster_on_both_sides, True
    ),
    Fault(
        "a question moved by hand, away from its near-duplicates",
        "row_near_other_side",
        _near_on_the_other_side,
    ),
    Fault("a cluster in both pools", "row_in_both_pools", _in_both_pools),
    Fault("stale thinking in sft", "row_thinking_stale", _stale("sft.jsonl")),
    Fault("stale thinking in the chosen of dpo", "row_thinking_stale", _stale("dpo.jsonl")),
    Fault(
        "the thinking of another suggestion",
        "row_thinking_other",
        with_answer(lambda text: text.replace("<think>\n", "<think>\n别的想法。", 1)),
    ),
    Fault(
        "pinned to another version of the list",
        "row_list_other",
        with_meta(list_version="travel@1"),
    ),
    Fault("a prompt that shows another version", "row_list_other", _shows_another_list),
    Fault("the expert list cut in a prompt of sft", "row_list_cut", _cut_prompt("sft.jsonl")),
    Fault("the expert list cut in a prompt of grpo", "row_list_cut", _cut_prompt("grpo.jsonl")),
    Fault("the expert list cut for the rewards", "row_list_cut", with_grpo(_cut_names)),
    Fault("a sentence more in the prompt", "row_prompt_other", _other_prompt),
)
