"""Whatever stands in a file, checks say what is wrong with it and never fail themselves."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exports.checks.examine import TOLD, examine
from schemas.recipe import FORMATS

TEXT = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "<think>\n想\n</think>\n\n<answer>\n{}\n</answer>",
            '<answer>\n{"补全后的问题": "看", "plan": []}\n</answer>',
            '{"name": "数据分析专家", "arguments": {}}',
            '{"dialect": "zh@1", "with_thinking": true}',
            '{"rewritten_query": "a", "steps": 5}',
            "[1, null]",
            "{}",
        ]
    ),
)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), TEXT),
    lambda inside: st.one_of(
        st.lists(inside, max_size=2), st.dictionaries(TEXT, inside, max_size=2)
    ),
    max_leaves=4,
)
MESSAGE = st.one_of(
    VALUE,
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool_call", "robot"])},
        optional={"content": st.one_of(TEXT, VALUE)},
    ),
)
COLUMNS = (
    "solution",
    "plan_experts",
    "plan_meta",
    "plan_id",
    "chat_template_kwargs",
    "tools",
    "rejected_response",
    "channel",
    "label",
    "rewards",
)
ROW = st.one_of(
    VALUE,
    st.fixed_dictionaries(
        {"messages": st.one_of(VALUE, st.lists(MESSAGE, max_size=4))},
        optional={each: st.one_of(TEXT, VALUE) for each in COLUMNS},
    ),
)


@settings(max_examples=200)
@given(rows=st.lists(ROW, max_size=4), terms=st.sampled_from([{}, {"with_thinking": False}]))
def test_no_row_stops_the_checks(rows: list[Any], terms: dict[str, Any]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind in FORMATS:
            lines = [json.dumps(row) + "\n" for row in rows]
            (folder / f"{kind}.jsonl").write_text("".join(lines), "utf-8")
        found = examine(folder, {"recipe": terms})
        assert all(0 <= each.line <= len(rows) for each in found.differences)


def test_all_faults_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    row = {"messages": [{"role": "assistant", "content": ""}], "channel": "accepted"}
    line = json.dumps(row) + "\n"
    (tmp_path / "sft.jsonl").write_text(line * (TOLD + 50), "utf-8")
    found = examine(tmp_path, {})
    assert found.by_file == {"sft.jsonl": TOLD + 50}
    assert len(found.differences) == TOLD
    assert found.differences[-1].line == TOLD


def test_training_questions_nearly_in_validation_are_counted(tmp_path: Path) -> None:
    def write(name: str, *questions: str) -> None:
        rows = [
            {
                "messages": [
                    {"role": "system", "content": "规划"},
                    {"role": "user", "content": text},
                    {"role": "assistant", "content": f"<answer>\n{text}\n</answer>"},
                ],
                "channel": "accepted",
            }
            for text in questions
        ]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (tmp_path / name).write_text("".join(lines), "utf-8")

    weekly, rain = "查看上周的经营周报，并分析流量", "Will it rain in Paris tomorrow?"
    write("sft.jsonl", f"请{weekly}吧", "怎样报名满减活动", f"{rain} Please", weekly)
    assert examine(tmp_path, {}).near_split is None
    write("sft_val.jsonl", weekly, rain, "物流超时的订单有多少")
    assert examine(tmp_path, {}).near_split == 3
