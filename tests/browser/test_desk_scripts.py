"""The pure scripts of the desks, tried in a real browser: JSON, differences, moves of steps."""

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from tests.serving import ServedApp

PLANS = st.lists(
    st.tuples(st.sampled_from("甲乙丙"), st.integers(1, 4)), min_size=1, max_size=6
).map(
    lambda rows: {
        "rewritten_query": "问",
        "steps": [
            {"expert": f"{name}{place}", "sub_questions": ["一"], "order": order}
            for place, (name, order) in enumerate(sorted(rows, key=lambda row: row[1]))
        ],
    }
)
RICH_PLANS = st.lists(
    st.tuples(
        st.sampled_from("甲乙丙"),
        st.lists(st.text("问题一二", min_size=1, max_size=3), min_size=1, max_size=3),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda rows: {
        "rewritten_query": "问",
        "steps": [
            {"expert": name, "sub_questions": texts, "order": order}
            for name, texts, order in sorted(rows, key=lambda row: row[2])
        ],
    }
)
TEXTS = st.text(st.sampled_from("如何配置关键词 ab12，。\n<\"'"), max_size=40)
JSON_TEXTS = st.one_of(
    st.recursive(
        st.none() | st.booleans() | st.integers(-999, 999) | st.text('a\\"\n中', max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner),
    ).map(lambda value: json.dumps(value, ensure_ascii=False)),
    st.text(st.sampled_from('{}[]",:01-.e tfn\n'), max_size=14),
)
often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def scripts(chromium, desk_app: ServedApp) -> Callable[..., object]:
    """Calls a function of a module: `scripts("plan", "moveStep", plan, 0, 1)`."""
    page: Page = chromium.new_page()
    page.goto(f"{desk_app.url}/login")

    def call(module: str, function: str, *arguments: object) -> object:
        return page.evaluate(
            "async ([module, name, args]) => (await import(`/assets/${module}.js`))[name](...args)",
            [module, function, list(arguments)],
        )

    yield call
    page.close()


@often
@given(text=JSON_TEXTS)
def test_raw_json_is_read_as_strictly_as_by_python(scripts, text):
    read = scripts("json_text", "readJson", text)
    doubled: list[str] = []

    def once(pairs):
        names = [name for name, _ in pairs]
        doubled.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=once)
    except ValueError:
        assert "error" in read
        return
    if doubled:
        assert read["error"]["code"] == "doubled_key"
    else:
        assert read == {"value": value}


@often
@given(before=TEXTS, after=TEXTS)
def test_a_difference_holds_both_texts(scripts, before, after):
    parts = scripts("diff", "diffText", before, after)
    assert "".join(part["text"] for part in parts if part["kind"] != "new") == before
    assert "".join(part["text"] for part in parts if part["kind"] != "gone") == after


@often
@given(plan=PLANS, data=st.data())
def test_moves_keep_every_step_and_leave_no_gap_between_stages(scripts, plan, data):
    index = data.draw(st.integers(0, len(plan["steps"]) - 1))
    move = data.draw(st.sampled_from([("moveStep", -1), ("moveStep", 1), ("toggleParallel",)]))
    moved = scripts("plan", move[0], plan, index, *move[1:])
    steps = moved["plan"]["steps"]
    assert sorted(step["expert"] for step in steps) == sorted(
        step["expert"] for step in plan["steps"]
    )
    orders = [step["order"] for step in steps]
    is_untouched = moved["plan"] == plan
    assert is_untouched or (
        orders == sorted(orders) and set(orders) == set(range(1, max(orders) + 1))
    )
    assert steps[moved["index"]]["expert"] == plan["steps"][index]["expert"]


@often
@given(plan=PLANS)
def test_down_and_up_again_is_where_a_step_was(scripts, plan):
    orders = sorted({step["order"] for step in plan["steps"]})
    plan["steps"] = [step | {"order": orders.index(step["order"]) + 1} for step in plan["steps"]]
    if len(orders) < len(plan["steps"]) or len(orders) < 2:
        return
    down = scripts("plan", "moveStep", plan, 0, 1)
    up = scripts("plan", "moveStep", down["plan"], down["index"], -1)
    assert up == {"plan": plan, "index": 0}


def test_every_step_appears_once_in_a_comparison(scripts):
    before = [{"expert": name, "sub_questions": [name], "order": 1} for name in "abc"]
    after = [{"expert": name, "sub_questions": [name], "order": 1} for name in "cax"]
    rows = scripts("diff", "alignSteps", before, after)
    assert sorted(row["oldIndex"] for row in rows if row["before"]) == [0, 1, 2]
    assert [row["newIndex"] for row in rows if row["after"]] == [0, 1, 2]


@often
@given(name=st.text(st.sampled_from("中aZ9_-+*.?^$(){}[]|\\/&'"), min_size=1, max_size=8))
def test_an_expert_is_found_in_a_trace_whatever_signs_its_name_is_made_of(scripts, name):
    found = scripts("trace_text", "mentions", f"先请 {name} 。", [{"name": name, "aliases": []}])
    assert found == [{"start": 3, "end": 3 + len(name), "name": name}]


def _asked(plan) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((step["expert"], tuple(step["sub_questions"])) for step in plan["steps"])


def _texts(plan) -> list[str]:
    return sorted(text for step in plan["steps"] for text in step["sub_questions"])


def _is_contiguous(plan) -> bool:
    orders = [step["order"] for step in plan["steps"]]
    return orders == sorted(orders) and set(orders) == set(range(1, max(orders) + 1))


@often
@given(plan=RICH_PLANS, data=st.data())
def test_a_dropped_step_comes_to_lie_where_it_was_dropped_and_nothing_is_lost(scripts, plan, data):
    stages = sorted({step["order"] for step in plan["steps"]})
    index = data.draw(st.integers(0, len(plan["steps"]) - 1))
    stage = data.draw(st.integers(0, len(stages) - 1))
    beside = sum(step["order"] == stages[stage] for step in plan["steps"])
    place = data.draw(st.none() | st.integers(0, beside))
    moved = scripts("plan", "dropStep", plan, index, {"stage": stage, "place": place})
    assert _asked(moved["plan"]) == _asked(plan)
    assert _is_contiguous(moved["plan"])
    step, was = moved["plan"]["steps"][moved["index"]], plan["steps"][index]
    assert (step["expert"], step["sub_questions"]) == (was["expert"], was["sub_questions"])
    company = [each for each in moved["plan"]["steps"] if each["order"] == step["order"]]
    if place is None:
        assert len(company) == 1
    else:
        others = beside - (was["order"] == stages[stage])
        assert len(company) == others + 1


@often
@given(plan=RICH_PLANS, data=st.data())
def test_a_dropped_sub_question_is_where_it_is_said_to_be_and_no_text_is_lost(scripts, plan, data):
    steps = plan["steps"]
    source, target = (data.draw(st.integers(0, len(steps) - 1)) for _ in range(2))
    at = data.draw(st.integers(0, len(steps[source]["sub_questions"]) - 1))
    to = data.draw(st.integers(0, len(steps[target]["sub_questions"])))
    from_, to_ = {"index": source, "at": at}, {"index": target, "at": to}
    dropped = scripts("plan", "dropSubQuestion", plan, from_, to_)
    now = dropped["plan"]
    # A step that gave its last one away keeps an empty field.
    assert [text for text in _texts(now) if text] == _texts(plan)
    assert all(step["sub_questions"] for step in now["steps"])
    assert (
        now["steps"][target]["sub_questions"][dropped["at"]] == steps[source]["sub_questions"][at]
    )
    assert [step["order"] for step in now["steps"]] == [step["order"] for step in steps]


@often
@given(plan=RICH_PLANS, data=st.data())
def test_a_sub_question_moved_up_and_down_again_is_where_it_was(scripts, plan, data):
    index = data.draw(st.integers(0, len(plan["steps"]) - 1))
    count = len(plan["steps"][index]["sub_questions"])
    at, by = data.draw(st.integers(0, count - 1)), data.draw(st.sampled_from([-1, 1]))
    moved = scripts("plan", "moveSubQuestion", plan, index, at, by)
    assert _texts(moved) == _texts(plan)
    if 0 <= at + by < count:
        assert scripts("plan", "moveSubQuestion", moved, index, at + by, -by) == plan
    else:
        assert moved == plan


@often
@given(mine=RICH_PLANS, others=st.lists(RICH_PLANS, min_size=1, max_size=3))
def test_every_step_of_every_candidate_has_one_cell_in_the_table_to_merge_from(
    scripts, mine, others
):
    rows = scripts("plan_merge", "rowsOf", mine, others)
    own = [row["index"] for row in rows if row["index"] is not None]
    assert own == list(range(len(mine["steps"])))
    for column, other in enumerate(others):
        cells = [row["cells"][column] for row in rows if row["cells"][column] is not None]
        assert sorted(cells) == list(range(len(other["steps"])))


@often
@given(mine=RICH_PLANS, other=RICH_PLANS, data=st.data())
def test_a_step_taken_from_a_candidate_replaces_one_or_adds_one(scripts, mine, other, data):
    at = data.draw(st.integers(0, len(other["steps"]) - 1))
    index = data.draw(st.none() | st.integers(0, len(mine["steps"]) - 1))
    taken = scripts("plan_merge", "takeStep", mine, other, at, index)
    step = other["steps"][at]
    if index is None:
        new = (step["expert"], tuple(step["sub_questions"]))
        assert _asked(taken) == sorted([*_asked(mine), new])
        assert _is_contiguous(taken)
        return
    changed = mine["steps"][index] | {key: step[key] for key in ("expert", "sub_questions")}
    rest = [each for place, each in enumerate(mine["steps"]) if place != index]
    assert taken["steps"][index] == changed
    assert [each for place, each in enumerate(taken["steps"]) if place != index] == rest
