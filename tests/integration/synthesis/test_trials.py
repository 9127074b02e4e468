"""Two versions of a prompt on the same queries: asked apart, judged in pairs, never labelled."""

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Query, Suggestion, SynthesisRequest, TrialReply
from labeling.prompt_trials import trial_report
from labeling.prompts import publish_prompt
from labeling.synthesis.batch import preview_batch, reopen_failed
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.prompt import built_in_template
from schemas.prompt_trials import TrialAnswer, judge_trial
from tests.exporting import a_plan, an_accepted_query
from tests.factories import EXPERTS, a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import add_queries, order_for, run_order, work_on

TRIAL = {"first": "long@1", "second": "short@1"}


@pytest.fixture
def prompts(database: Database, who: Actor) -> None:
    template = built_in_template("zh")
    publish_prompt(database, who, template, name="long")
    publish_prompt(database, who, f"{template}\n思考不超过一百字。", name="short")


@pytest.mark.usefixtures("prompts")
def test_both_versions_are_asked_for_the_same_queries_and_nothing_of_it_is_labelled(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(keep_bodies=True)
    ids = add_queries(database, who, 6)
    accepted = [an_accepted_query(database, who, f"第{n}周的流量", EXPERTS[0]) for n in range(4)]
    with database.reading() as session:
        before = len(session.exec(select(Suggestion)).all())
    order = order_for(endpoint, trial=TRIAL, limit=6)
    preview = preview_batch(database, who, order)
    assert (preview.queries, preview.requests, preview.known) == (6, 12, 0)
    progress = run_order(database, who, order)
    assert (progress.state, progress.done) == ("done", 12)
    with database.reading() as session:
        replies = list(session.exec(select(TrialReply)))
        assert len(session.exec(select(Suggestion)).all()) == before
        states = {row.id: row.state for row in session.exec(select(Query))}
    assert {states[each] for each in ids} == {"waiting"}
    asked = {each.query_id for each in replies}
    assert len(asked) == 6
    assert len(asked & set(accepted)) == 3
    assert all(each.raw_reply and each.plan for each in replies)
    systems = {body["messages"][0]["content"] for body in endpoint.counts()["bodies"]}
    assert sum("思考不超过一百字" in each for each in systems) == 1
    with pytest.raises(InvalidInput, match="nothing to ask"):
        run_order(database, who, order)


@pytest.mark.usefixtures("prompts")
def test_the_report_counts_both_sides_in_pairs(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(bad_plan=0.3)
    add_queries(database, who, 10)
    for number in range(10):
        an_accepted_query(database, who, f"第{number}周的流量", EXPERTS[0])
    progress = run_order(database, who, order_for(endpoint, trial=TRIAL, limit=20))
    report = trial_report(database, who, progress.id)
    assert (report.first.reference, report.second.reference) == ("long@1", "short@1")
    assert (report.queries, report.first.answers, report.second.answers) == (20, 20, 20)
    failed = [20 - each.with_plan for each in (report.first, report.second)]
    assert sum(failed) == progress.failed > 0
    assert report.first.judged == report.second.judged == 10
    assert report.changes["well_formed"].change == pytest.approx((failed[0] - failed[1]) / 20)
    assert report.first.think_median == 120


def test_a_trial_needs_two_versions_that_are_there(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 1)
    with pytest.raises(NotFound, match="There is no prompt"):
        preview_batch(
            sqlite_database, who, order_for(endpoint, trial={**TRIAL, "second": "nothing@3"})
        )
    with pytest.raises(InvalidInput, match="two different versions"):
        order_for(endpoint, trial={"first": "a@1", "second": "a@1"})
    template = built_in_template("zh")
    publish_prompt(sqlite_database, who, template, name="long")
    for second in ("long@1", " long "):
        with pytest.raises(InvalidInput, match="same version"):
            preview_batch(
                sqlite_database,
                who,
                order_for(endpoint, trial={"first": "long", "second": second}),
            )
    plain = run_order(sqlite_database, who, order_for(endpoint))
    with pytest.raises(InvalidInput, match="no trial"):
        trial_report(sqlite_database, who, plain.id)


def test_a_bare_name_is_its_newest_version_beside_an_older_one(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who, template = a_project(sqlite_database), built_in_template("zh")
    publish_prompt(sqlite_database, who, template, name="long")
    publish_prompt(sqlite_database, who, f"{template}\n再短一些。", name="long")
    add_queries(sqlite_database, who, 2)
    trial = {"first": "long", "second": "long@1"}
    progress = run_order(sqlite_database, who, order_for(endpoint, trial=trial, n=2))
    report = trial_report(sqlite_database, who, progress.id)
    assert (report.first.reference, report.second.reference) == ("long@2", "long@1")
    assert (report.queries, report.first.answers, report.second.answers) == (2, 4, 4)


@pytest.mark.usefixtures("prompts")
def test_what_failed_in_a_trial_is_asked_again_and_the_newest_counts(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(bad_plan=1.0)
    add_queries(database, who, 2)
    progress = run_order(database, who, order_for(endpoint, trial=TRIAL))
    assert trial_report(database, who, progress.id).first.with_plan == 0
    endpoint.configure(bad_plan=0.0)
    count, prepared = reopen_failed(database, who, progress.id)
    assert count == 4
    work_on(database, prepared)
    report = trial_report(database, who, progress.id)
    assert (report.first.with_plan, report.second.with_plan, report.queries) == (2, 2, 2)
    with database.reading() as session:
        assert {row.kind for row in session.exec(select(SynthesisRequest))} == {"trial"}


def _answer(query: str, experts: tuple[str, ...], accepted: tuple[str, ...]) -> TrialAnswer:
    return TrialAnswer(
        query, a_plan("问", *experts), None, 50, False, 0.5, 10, a_plan("问", *accepted)
    )


def test_mended_and_broken_are_told_apart_and_money_is_for_what_was_right() -> None:
    right, wrong = EXPERTS[:1], EXPERTS[1:2]
    first = [_answer("a", wrong, right), _answer("b", right, right), _answer("c", wrong, right)]
    second = [_answer("a", right, right), _answer("b", wrong, right), _answer("c", right, right)]
    report = judge_trial("batch", "CNY", [("x@1", first), ("x@2", second)])
    assert (report.mended, report.broken) == (2, 1)
    assert (report.first.same, report.second.same) == (1, 2)
    assert (report.first.money_each_same, report.second.money_each_same) == (1.5, 0.75)
    assert report.changes["same"].change == pytest.approx(1 / 3)
