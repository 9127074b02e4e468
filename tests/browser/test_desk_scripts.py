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
