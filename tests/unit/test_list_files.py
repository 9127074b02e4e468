"""Expert lists as files come from outside and may hold anything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidInput
from schemas.experts import ExpertList, compare_lists
from schemas.list_files import parse_expert_list, parse_list_file
from schemas.sentences import LANGUAGES


def a_file(*experts: dict[str, Any], **more: Any) -> bytes:
    value = {"name": "merchant", "experts": list(experts), **more}
    return json.dumps(value, ensure_ascii=False).encode()


def an_expert(name: str = "诊断专家", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": f"负责{name}", **more}


def problems_of(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        parse_list_file(content)
    error = refusal.value
    for language in LANGUAGES:
        assert error.sentence(language)
        assert len(error.problem_lines(language)) == len(error.problems)
    return [(each.path, each.code) for each in error.problems] or [("", error.code)]


def test_one_list_in_a_pretty_printed_file_is_read() -> None:
    value = {"name": "a", "experts": [an_expert(aliases=["诊断"])], "tools": [{"name": "t"}]}
    (found,) = parse_list_file(json.dumps(value, indent=1).encode())
    assert found.names == {"诊断专家"}
    assert found.aliases == {"诊断": "诊断专家"}
    assert found.tools == ({"name": "t"},)
    assert found.version == 0


def test_a_file_of_lines_holds_one_list_a_line() -> None:
    content = b"\n".join((a_file(an_expert()), b"", a_file(an_expert("b"), name="other")))
    assert [each.name for each in parse_list_file(content)] == ["merchant", "other"]


def test_a_byte_order_mark_is_not_part_of_the_list() -> None:
    assert parse_list_file(b"\xef\xbb\xbf" + a_file(an_expert()))[0].name == "merchant"


def test_keys_of_the_file_itself_are_left_out() -> None:
    (found,) = parse_list_file(a_file(an_expert(), version="7", origin={"from": "somewhere"}))
    assert found.version == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [("", "files.empty")]),
        (b" \n\n", [("", "files.empty")]),
        (b"{", [("", "files.not_json")]),
        (b'{"name": "a", "name": "b"}', [("", "files.doubled_key")]),
        (b"[" * 40 + b"]" * 40, [("", "files.too_deep")]),
        (b"[" * 9000 + b"]" * 9000, [("", "files.too_deep")]),
        (a_file(an_expert("a\0b")), [("", "files.nul")]),
        (b"[]", [("$", "experts.not_an_object")]),
        (a_file(), [("$.experts", "experts.no_experts")]),
        (a_file(an_expert(), name="a@b"), [("$.name", "experts.at_sign")]),
        (a_file(an_expert(), name=7), [("$.name", "experts.not_text")]),
        (
            a_file({"name": "a", "description": " \n"}),
            [("$.experts[0].description", "experts.blank")],
        ),
        (a_file({"name": "a"}), [("$.experts[0].description", "experts.not_text")]),
        (a_file(an_expert(tags=[])), [("$.experts[0].tags", "experts.unknown_key")]),
        (a_file(an_expert("a\nb")), [("$.experts[0].name", "experts.line_break")]),
        (
            a_file({"name": "a\x07b", "description": "d"}),
            [("$.experts[0].name", "experts.control_character")],
        ),
        (a_file(an_expert("a" * 201)), [("$.experts[0].name", "experts.too_long")]),
        (a_file(an_expert(aliases="a")), [("$.experts[0].aliases", "experts.not_words")]),
        (a_file(an_expert(), tools=[{}]), [("$.tools[0]", "experts.no_object_name")]),
        (a_file(an_expert(), services={}), [("$.services", "experts.not_objects")]),
    ],
)
def test_a_bad_file_is_refused_with_its_place(
    content: bytes, expected: list[tuple[str, str]]
) -> None:
    assert problems_of(content) == expected


def test_a_word_means_one_expert_only() -> None:
    doubled = a_file(an_expert("a"), an_expert("a "), an_expert("b", aliases=["a", "b", "c", "c"]))
    assert problems_of(doubled) == [
        ("$.experts[1].name", "experts.doubled_name"),
        ("$.experts[2].aliases[0]", "experts.doubled_name"),
        ("$.experts[2].aliases[1]", "experts.doubled_name"),
        ("$.experts[2].aliases[3]", "experts.doubled_name"),
    ]


def test_the_line_of_a_bad_list_is_named() -> None:
    content = a_file(an_expert()) + b"\n" + a_file({"name": "b", "description": ""}, name="second")
    assert problems_of(content) == [("2: $.experts[0].description", "experts.blank")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "description", "aliases", "experts", "tools"]), inner
        )
    ),
)


@given(json_values)
def test_any_json_is_either_a_list_or_refused(value: Any) -> None:
    try:
        found = parse_expert_list(value)
    except InvalidInput:
        return
    assert ExpertList.model_validate(found.model_dump(mode="json")) == found


def test_comparing_names_what_was_added_retired_renamed_and_described() -> None:
    before = parse_expert_list(
        {
            "name": "a",
            "experts": [an_expert("甲"), an_expert("乙"), an_expert("丙"), an_expert("丁")],
        }
    )
    after = parse_expert_list(
        {
            "name": "a",
            "experts": [
                an_expert("甲"),
                an_expert("新乙", aliases=["乙"]),
                {"name": "丙", "description": "别的"},
                an_expert("戊"),
            ],
            "tools": [{"name": "t"}],
        }
    )
    found = compare_lists(before, after)
    assert [each.name for each in found.added] == ["戊"]
    assert [each.name for each in found.retired] == ["丁"]
    assert [(each.before.name, each.after.name) for each in found.renamed] == [("乙", "新乙")]
    assert [each.after.description for each in found.described] == ["别的"]
    assert found.tools_added == ("t",)
    assert not found.is_empty
    assert compare_lists(after, after).is_empty
