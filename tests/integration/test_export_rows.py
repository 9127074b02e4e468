"""Which rows go into a bundle, which stay out, and why."""

import json
from typing import Any

import pytest

from db.engine import Database, Session
from db.tables import Annotation, Benchmark, BenchmarkQuestion, ListVersion, Project
from db.tables.base import new_id
from exports.bundle import begin_bundle
from exports.preview import preview_recipe
from labeling import gold
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.experts import Expert, ExpertList
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    ACCEPTED,
    SUGGESTED,
    a_full_project,
    a_historical_chat,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    a_trace,
    a_zh_answer,
    an_acceptance,
    an_accepted_query,
    exclusions,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_person, a_project


def test_historical_rows_keep_their_own_prompt_byte_for_byte(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    system = '旧提示 <b>&amp;</b>\r\n\t"引号" \\ \u2028 end '
    a_historical_chat(database, who, " 查看日报 ", a_zh_answer("查看日报"), system)
    _, folder = written(
        database,
        settings,
        who,
        a_recipe(
            with_thinking=False,
            sft={"sources": [{"kind": "history"}]},
            grpo={"sources": [{"kind": "history"}]},
        ),
    )
    for file in ("sft.jsonl", "grpo.jsonl"):
        (row,) = rows_of(folder, file)
        assert row["messages"][:2] == [
            {"role": "system", "content": system},
            {"role": "user", "content": " 查看日报 "},
        ]
    assert row["chat_template_kwargs"] == {"enable_thinking": False}


def test_verbatim_answers_are_kept_and_those_without_the_form_counted(
    sqlite_database: Database, settings: Settings
) -> None:
    who = a_project(sqlite_database)
    odd = json.dumps({"补全后的问题": "查看", "plan": []}, ensure_ascii=False)
    a_historical_chat(sqlite_database, who, "查看", odd)
    a_historical_chat(sqlite_database, who, "看看", a_zh_answer("看看"))
    recipe = a_recipe(
        formats=["sft"],
        with_thinking=False,
        history_answers="verbatim",
        sft={"sources": [{"kind": "history"}]},
    )
    _, folder = written(sqlite_database, settings, who, recipe)
    answers = {row["messages"][-1]["content"] for row in rows_of(folder, "sft.jsonl")}
    assert answers == {odd, a_zh_answer("看看")}
    assert json.loads((folder / "manifest.json").read_bytes())["form_missed"] == 1
    assert "1 of them do not have the form" in (folder / "CARD.md").read_text("utf-8")


def test_every_row_is_under_its_own_list(database: Database, settings: Settings) -> None:
    who = a_project(database)
    an_accepted_query(database, who, "旧列表的问题", "策略推荐专家")
    newer = ExpertList(
        name="merchant", version=2, experts=(Expert(name="人群运营专家", description="圈人"),)
    )
    with database.transaction() as session:
        version = ListVersion(
            project_id=who.project_id,
            name=newer.name,
            version=2,
            content=newer.model_dump(mode="json"),
            content_hash=newer.content_hash,
        )
        session.add(version)
        session.flush()
        project = session.get_one(Project, who.project_id)
        project.settings = {**project.settings, "current_list_version_id": version.id}
    an_accepted_query(database, who, "新列表的问题", "人群运营专家")
    _, folder = written(database, settings, who, a_recipe(**ACCEPTED))
    rows = {row["messages"][-1]["content"]: row for row in rows_of(folder, "grpo.jsonl")}
    assert json.loads(rows["旧列表的问题"]["plan_experts"]) == list(EXPERTS)
    assert json.loads(rows["新列表的问题"]["plan_experts"]) == ["人群运营专家"]
    assert "人群运营专家" not in rows["旧列表的问题"]["messages"][0]["content"]
    only = a_recipe(
        formats=["grpo"], grpo={"sources": [{"kind": "accepted", "lists": ["merchant@2"]}]}
    )
    _, folder = written(database, settings, who, only)
    assert len(rows_of(folder, "grpo.jsonl")) == 1


def test_benchmark_questions_never_enter(database: Database, settings: Settings) -> None:
    who = a_project(database)
    an_accepted_query(database, who, "上个月华东地区的退款率是多少，和去年同期相比怎么样")
    an_accepted_query(database, who, "上个月华东地区的退款率是多少，与去年同期相比怎么样？")
    an_accepted_query(database, who, "换个说法", "诊断专家")
    kept = an_accepted_query(database, who, "完全不相干的问题")
    with database.transaction() as session:
        list_id = _current_list(session, who)
        benchmark = Benchmark(
            id=new_id(),
            project_id=who.project_id,
            name="standard",
            version=1,
            content_hash="0",
            list_version_id=list_id,
        )
        session.add(benchmark)
        session.flush()
        for text, rewrite in (
            ("上个月华东地区的退款率是多少，和去年同期相比怎么样", "退款率"),
            ("另一个问题", "换个说法"),
        ):
            session.add(
                BenchmarkQuestion(
                    project_id=who.project_id,
                    benchmark_id=benchmark.id,
                    import_key=text,
                    content_hash="0",
                    text=text,
                    plan=a_plan(rewrite),
                    cluster=text,
                )
            )
    _, folder = written(database, settings, who, a_recipe(**ACCEPTED))
    assert [row["plan_id"] for row in rows_of(folder, "grpo.jsonl")] == [kept]
    assert exclusions(database, who, a_recipe(**ACCEPTED), "grpo") == {"benchmark": 3}


def test_gold_queries_their_near_duplicates_and_their_rewrites_never_enter(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    golden = an_accepted_query(database, who, "上个月华东地区的退款率是多少，和去年同期相比怎么样")
    an_accepted_query(database, who, "上个月华东地区的退款率是多少，与去年同期相比怎么样？")
    an_accepted_query(database, who, "换个说法", "诊断专家")
    kept = an_accepted_query(database, who, "完全不相干的问题")
    gold.set_gold(database, who, golden, a_plan("换个说法"))
    gold.retire(database, who, golden)
    gold.set_gold(database, who, golden, a_plan("换个说法"))
    _, folder = written(database, settings, who, a_recipe(**ACCEPTED))
    assert [row["plan_id"] for row in rows_of(folder, "grpo.jsonl")] == [kept]
    assert exclusions(database, who, a_recipe(**ACCEPTED), "grpo") == {"benchmark": 3}


def _current_list(session: Session, who: Actor) -> str:
    settings = session.get_one(Project, who.project_id).settings
    return str(settings["current_list_version_id"])


def test_a_stale_trace_is_left_out_of_sft_and_stays_in_grpo(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    kept = an_accepted_query(database, who, "原样通过")
    stale = a_pinned_query(database, who, "改了专家")
    first = a_suggestion(database, who, stale, a_plan("改了专家", EXPERTS[1]))
    an_acceptance(database, who, stale, a_plan("改了专家", EXPERTS[2]), first)
    rescued = a_pinned_query(database, who, "旁边有对的")
    wrong = a_suggestion(database, who, rescued, a_plan("旁边有对的", EXPERTS[1]), "错的思考")
    a_suggestion(database, who, rescued, a_plan("旁边有对的"), "对的思考", candidate=2)
    an_acceptance(database, who, rescued, a_plan("旁边有对的"), wrong)
    accepted = {"sources": [{"kind": "accepted"}]}
    recipe = a_recipe(sft=accepted, grpo=accepted)
    _, folder = written(database, settings, who, recipe)
    answers = {
        row["messages"][1]["content"]: row["messages"][-1]["content"]
        for row in rows_of(folder, "sft.jsonl")
    }
    assert answers.keys() == {"原样通过", "旁边有对的"}
    assert "<think>\n对的思考\n</think>" in answers["旁边有对的"]
    assert {row["plan_id"] for row in rows_of(folder, "grpo.jsonl")} == {kept, stale, rescued}
    assert exclusions(database, who, recipe, "sft") == {"stale": 1}
    keep = a_recipe(sft=accepted, grpo=accepted, stale_traces="keep")
    assert exclusions(database, who, keep, "sft") == {}
    preview = preview_recipe(database, who, keep)
    states = next(each for each in preview.pools if each.pool == "sft").spread.by_trace_state
    assert states == {"fresh": 1, "rescued": 1, "stale": 1}


def test_suggestions_give_one_short_valid_row_a_query(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    query_id = a_pinned_query(database, who, "看看流量")
    right = a_plan("看看流量")
    for length, columns in ((300, {}), (90, {}), (20, {}), (70, {"is_repaired": True})):
        a_suggestion(database, who, query_id, right, a_trace(length), **columns)
    a_suggestion(database, who, query_id, a_plan("看看流量", "没有的专家"))
    a_suggestion(database, who, query_id, None)
    a_suggestion(database, who, query_id, None, failure="replies.incomplete")
    a_suggestion(database, who, query_id, right, "")
    corrected = a_pinned_query(database, who, "改过的")
    wrong = a_suggestion(database, who, corrected, a_plan("改过的"))
    an_acceptance(database, who, corrected, a_plan("改过的", EXPERTS[3]), wrong)
    _, folder = written(database, settings, who, a_recipe(**SUGGESTED))
    (row,) = rows_of(folder, "sft.jsonl")
    assert f"<think>\n{a_trace(90)}\n</think>" in row["messages"][-1]["content"]
    assert row["channel"] == "suggestions"
    assert exclusions(database, who, a_recipe(**SUGGESTED), "sft") == {
        "breaks_list": 1,
        "corrected": 1,
        "incomplete": 1,
        "no_plan": 1,
        "no_trace": 1,
        "not_shortest": 2,
        "repaired": 1,
    }


def test_a_discarded_query_is_no_sample(database: Database, settings: Settings) -> None:
    who = a_project(database)
    query_id = a_pinned_query(database, who, "不该问的")
    a_suggestion(database, who, query_id, a_plan("不该问的"))
    author = a_person(database, who.project_id, "annotator")
    with database.transaction() as session:
        session.add(
            Annotation(
                project_id=who.project_id,
                query_id=query_id,
                author_id=author.person_id,
                state="discarded",
            )
        )
    with pytest.raises(InvalidInput) as refused:
        preview_recipe(database, who, a_recipe(**SUGGESTED))
    assert refused.value.problem_lines("en") == ["sft · suggestions · 1: a reviewer discarded it"]


def test_dpo_and_kto_set_the_accepted_plan_against_the_model_s(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    for number in range(6):
        query_id = a_pinned_query(database, who, f"问题{number}")
        right, wrong = a_plan(f"问题{number}"), a_plan(f"问题{number}", EXPERTS[2])
        own = a_suggestion(database, who, query_id, right, f"想对了{number}")
        a_suggestion(database, who, query_id, wrong, f"想错了{number}", candidate=2)
        an_acceptance(database, who, query_id, right, own)
    recipe = a_recipe(formats=["dpo", "kto"], grpo={"sources": [{"kind": "accepted"}]})
    _, folder = written(database, settings, who, recipe)
    for row in rows_of(folder, "dpo.jsonl"):
        assert "想对了" in row["messages"][-1]["content"]
        assert "想错了" in row["rejected_response"]
    labels = [
        (row["label"], "想对了" in row["messages"][-1]["content"])
        for row in rows_of(folder, "kto.jsonl")
    ]
    assert sorted(labels) == [(False, False)] * 6 + [(True, True)] * 6


def test_an_empty_selection_says_why(database: Database, settings: Settings) -> None:
    who = a_project(database)
    with pytest.raises(InvalidInput, match=r"selects no row for grpo\.jsonl") as refused:
        preview_recipe(database, who, a_recipe(**ACCEPTED))
    assert refused.value.problem_lines("zh") == ["grpo · accepted: 还没有这类数据"]
    shares = {"sources": [{"kind": "accepted", "share": 0.5}, {"kind": "history", "share": 0.5}]}
    an_accepted_query(database, who, "只有新的")
    with pytest.raises(InvalidInput, match="source history in the pool grpo"):
        preview_recipe(database, who, a_recipe(formats=["grpo"], grpo=shares))
    unknown = {"sources": [{"kind": "accepted", "lists": ["merchant@7"]}]}
    with pytest.raises(InvalidInput, match="merchant@7, which was never published"):
        preview_recipe(database, who, a_recipe(formats=["grpo"], grpo=unknown))
    with pytest.raises(NotFound):
        begin_bundle(database, who, a_recipe(training="moonshot"))


def test_only_admins_export(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    for role in ("annotator", "reviewer"):
        person = a_person(sqlite_database, who.project_id, role)  # pyright: ignore[reportArgumentType]
        with pytest.raises(NotAllowed):
            preview_recipe(sqlite_database, person, a_recipe())
        with pytest.raises(NotAllowed):
            begin_bundle(sqlite_database, person, a_recipe())


def test_another_project_s_rows_never_enter(database: Database, settings: Settings) -> None:
    who, other = a_project(database), a_project(database, "other")
    a_full_project(database, other)
    mine = an_accepted_query(database, who, "我的问题")
    _, folder = written(database, settings, who, a_recipe(**ACCEPTED))
    assert [row["plan_id"] for row in rows_of(folder, "grpo.jsonl")] == [mine]


def test_a_preview_shows_counts_and_an_example_of_each_file(database: Database) -> None:
    who = a_project(database)
    a_full_project(database, who)
    preview = preview_recipe(database, who, a_recipe(val_share=0.2))
    assert preview.files.keys() == {"sft.jsonl", "sft_val.jsonl", "grpo.jsonl", "grpo_val.jsonl"}
    examples: dict[str, Any] = {k: json.loads(v) for k, v in preview.examples.items()}
    assert examples.keys() == {"sft.jsonl", "grpo.jsonl"}
    assert examples["sft.jsonl"]["messages"][-1]["role"] == "assistant"
    assert sum(preview.weights.values()) == pytest.approx(1)
    plain = preview_recipe(database, who, a_recipe(with_thinking=False))
    assert "ThinkLengthReward" not in plain.weights
    assert sum(plain.weights.values()) == pytest.approx(1)
