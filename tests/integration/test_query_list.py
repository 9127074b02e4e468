"""The list of queries: pages by key, narrowed, without touching what is large."""

import pytest
import sqlalchemy as sa

from db.engine import Database
from labeling import annotate, queue
from schemas.errors import InvalidInput
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_suggestion


def test_pages_follow_each_other_without_gap_or_overlap(database: Database, admin: Actor) -> None:
    queries = [a_label_query(database, admin, f"问题 {number}") for number in range(7)]
    seen: list[str] = []
    after = None
    while True:
        page = queue.list_queries(database, admin, after=after, limit=3)
        seen += [row.id for row in page.rows]
        after = page.next_after
        if after is None:
            break
    assert seen == sorted(queries)


def test_the_list_is_narrowed_by_state_text_list_and_flag(
    database: Database, admin: Actor, li: Actor
) -> None:
    plain = a_label_query(database, admin, "100% 的折扣怎么设置")
    answered = a_label_query(database, admin, "流量为什么 Drop 了")
    a_suggestion(database, admin, answered, plan=A_PLAN)
    item = annotate.open_item(database, li, plain)
    annotate.flag(database, li, item.annotation_id, reason="看")

    def found(**narrowed: object) -> list[str]:
        page = queue.list_queries(database, admin, **narrowed)
        return [row.id for row in page.rows]

    assert found(state="ready") == [answered]
    assert found(state="in_work") == [plain]
    assert found(text="drop") == [answered]
    assert found(text="0%") == [plain]
    assert found(text="%") == [plain]
    assert found(text="_") == []
    assert found(text=answered) == [answered]
    assert found(flagged=True) == [plain]
    assert found(list_version="another") == []
    detail = queue.query_detail(database, admin, plain)
    assert found(list_version=detail.list_version_id) == sorted([plain, answered])
    with pytest.raises(InvalidInput, match="known are waiting"):
        found(state="lost")


def test_a_line_counts_answers_annotations_and_flags(
    database: Database, admin: Actor, li: Actor
) -> None:
    query_id = a_label_query(database, admin, "长" * 500)
    for candidate in (1, 2):
        a_suggestion(database, admin, query_id, plan=A_PLAN, candidate=candidate)
    item = annotate.open_item(database, li, query_id)
    annotate.flag(database, li, item.annotation_id, reason="看")
    (row,) = queue.list_queries(database, admin).rows
    assert (row.suggestions, row.annotations, row.flags) == (2, 1, 1)
    assert row.text == "长" * 200
    assert row.expert_list == "merchant@1"


def test_the_list_reads_no_json_column_and_not_one_row_per_line(
    database: Database, admin: Actor
) -> None:
    for number in range(5):
        a_label_query(database, admin, f"问题 {number}")
    statements: list[str] = []
    with database.reading() as session:
        engine = session.get_bind().engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        queue.list_queries(database, admin)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    statements = [each for each in statements if not each.startswith("BEGIN")]
    assert len(statements) == 4
    for large in ("history", "plan", "content", "trace", "messages", "raw_reply"):
        assert not any(large in each for each in statements), large
