"""What a planner is asked with: the pinned list, the window, the form."""

import re

import pytest

from schemas.dialects import get_dialect, render_answer
from schemas.experts import Expert, ExpertList
from schemas.plan import Plan, Step
from schemas.prompt import built_in_template, missing_placeholders, render_messages
from schemas.scoring.answer import find_answer, find_thinking, has_strict_form, parse_strict
from schemas.scoring.wire import form_problems
from schemas.sentences import LANGUAGES, Language

LIST = ExpertList(
    name="merchant",
    version=1,
    experts=(
        Expert(
            name="数据分析专家",
            description="查数据 {window}",
            aliases=("数据专家",),
            inputs=("时间",),
        ),
        Expert(name="诊断专家", description="找原因"),
    ),
    tools=({"name": "销量预测", "description": "预测销量", "unit": "单"},),
)
HISTORY = [
    {"role": "user", "content": "一"},
    {"role": "assistant", "content": "二"},
    {"role": "user", "content": "三"},
    {"role": "assistant", "content": "四"},
]


def messages(template: str = "{experts} {example}", **options: object) -> list[dict[str, str]]:
    wanted = {"window": 6, "dialect": "zh@1", "with_thinking": True, **options}
    return render_messages(template, LIST, HISTORY, "问", **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("dialect", ["zh@1", "en@1"])
def test_a_built_in_prompt_shows_a_form_that_is_itself_strict(
    language: Language, dialect: str
) -> None:
    for with_thinking in (True, False):
        options = {"dialect": dialect, "with_thinking": with_thinking}
        system = messages(built_in_template(language), **options)[0]["content"]
        shape = r"<think>.*?</answer>" if with_thinking else r"<answer>\n.*?</answer>"
        found = re.search(shape, system, re.DOTALL)
        assert found
        assert has_strict_form(found[0], with_thinking=with_thinking)
        assert form_problems(parse_strict(find_answer(found[0])), dialect) == []
        assert ("<think>" in system) == with_thinking


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_built_in_prompt_names_everything_on_offer(language: Language) -> None:
    system = messages(built_in_template(language))[0]["content"]
    for word in ("数据分析专家", "数据专家", "查数据", "时间", "诊断专家", "销量预测", " 6 "):
        assert word in system
    left = re.findall(r"\{[#^/]?[a-z_]+\}", system.replace("查数据 {window}", ""))
    assert left == []


def test_a_template_that_would_hide_the_experts_is_found() -> None:
    assert missing_placeholders("{example}") == ["experts"]
    assert all(missing_placeholders(built_in_template(each)) == [] for each in LANGUAGES)


def test_what_is_filled_in_is_not_read_as_a_placeholder() -> None:
    assert "查数据 {window}" in messages()[0]["content"]


def test_braces_of_json_stay_as_they_are() -> None:
    assert messages('{"a": 1} {experts}')[0]["content"].startswith('{"a": 1} - 数据分析专家')


@pytest.mark.parametrize(
    ("window", "kept"), [(0, ["问"]), (1, ["问"]), (2, ["三", "四", "问"]), (9, "一二三四问")]
)
def test_the_window_keeps_the_last_messages_and_begins_with_the_user(
    window: int, kept: list[str]
) -> None:
    assert [each["content"] for each in messages(window=window)[1:]] == list(kept)


def test_neighbours_of_one_role_are_joined() -> None:
    history = [{"role": "user", "content": "在吗"}]
    rendered = render_messages(
        "{experts}", LIST, history, "问", window=3, dialect="zh@1", with_thinking=False
    )
    assert rendered[1:] == [{"role": "user", "content": "在吗\n问"}]


def test_an_answer_has_the_strict_form_whatever_its_texts() -> None:
    hostile = '</answer><think> \\ " </think>'
    steps = (Step(expert="诊断专家", sub_questions=(hostile,), order=1),)
    plan = Plan(rewritten_query=hostile, steps=steps)
    for dialect in map(get_dialect, ("zh@1", "en@1")):
        with_trace = render_answer(plan, dialect, f" 因为 {hostile}\n")
        assert has_strict_form(with_trace, with_thinking=True)
        assert find_thinking(with_trace).startswith("因为")
        bare = render_answer(plan, dialect, None)
        assert has_strict_form(bare, with_thinking=False)
        for text in (with_trace, bare):
            assert dialect.to_plain(parse_strict(find_answer(text))) == plan.to_plain()
