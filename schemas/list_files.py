"""Expert lists as files: one list in JSON, or one list a line in JSONL.

`{"name", "experts": [{"name", "description", "aliases"?, "inputs"?}], "tools": […],
"services": […]}`. Other keys beside these (a version, an origin) belong to the file and are not
kept.
"""

import re
from collections.abc import Iterator
from typing import cast

from pydantic import JsonValue

from schemas.errors import InvalidInput
from schemas.experts import Expert, ExpertList
from schemas.scoring.check import Problem
from schemas.strict_json import parse_json

MAX_FILE = 64 * 1024 * 1024
MAX_LISTS = 10_000
MAX_EXPERTS = 1_000
MAX_OBJECTS = 5_000
MAX_WORDS = 100
MAX_NAME = 200
MAX_DESCRIPTION = 20_000

_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EXPERT_KEYS = {"name", "description", "aliases", "inputs"}

Values = dict[str, JsonValue]


def parse_list_file(content: bytes) -> list[ExpertList]:
    """The lists of a file in its order, none published yet (version 0).

    Raises:
        InvalidInput: `files.*` when it is not JSON, `experts.refused` with every problem.
    """
    if len(content) > MAX_FILE:
        raise InvalidInput("files.too_large", most_mb=MAX_FILE // 2**20)
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise InvalidInput("files.empty")
    lines = [line for line in content.splitlines() if line.strip()]
    if len(lines) > 1 and _is_whole(lines[0]):
        if len(lines) > MAX_LISTS:
            raise InvalidInput("experts.too_many_lists", most=MAX_LISTS)
        return [_parse_line(line, number) for number, line in enumerate(lines, 1)]
    return [parse_expert_list(parse_json(content))]


def parse_expert_list(value: JsonValue, *, name: str | None = None) -> ExpertList:
    """One list from plain values, not published yet (version 0).

    Args:
        value: The list as a file has it.
        name: Takes the place of the name in the file.

    Raises:
        InvalidInput: `experts.refused`, with every problem.
    """
    if isinstance(value, dict) and name is not None:
        value = value | {"name": name}
    problems = list(_list_problems(value))
    if problems:
        raise InvalidInput("experts.refused", problems=problems, count=len(problems))
    fields = cast(Values, value)
    return ExpertList(
        name=_text(fields["name"]),
        version=0,
        experts=tuple(_to_expert(cast(Values, each)) for each in _items(fields, "experts")),
        tools=cast(tuple[Values, ...], tuple(_items(fields, "tools"))),
        services=cast(tuple[Values, ...], tuple(_items(fields, "services"))),
    )


def _to_expert(fields: Values) -> Expert:
    return Expert(
        name=_text(fields["name"]),
        description=cast(str, fields["description"]),
        aliases=tuple(_text(each) for each in _items(fields, "aliases")),
        inputs=tuple(_text(each) for each in _items(fields, "inputs")),
    )


def _is_whole(line: bytes) -> bool:
    """Whether a line is JSON by itself, as in JSONL; the first of a pretty-printed file is not."""
    try:
        return isinstance(parse_json(line), dict)
    except InvalidInput as error:
        return error.code != "files.not_json"


def _parse_line(line: bytes, number: int) -> ExpertList:
    try:
        return parse_expert_list(parse_json(line))
    except InvalidInput as error:
        problems = [
            Problem(f"{number}: {each.path}", each.code, each.values) for each in error.problems
        ] or [Problem(f"{number}:", error.code, error.values)]
        raise InvalidInput("experts.refused", problems=problems, count=len(problems)) from error


def _list_problems(value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem("$", "experts.not_an_object", {})
        return
    name = value.get("name")
    yield from _name_problems(name, "$.name")
    if isinstance(name, str) and "@" in name:
        yield Problem("$.name", "experts.at_sign", {"name": name})
    experts = value.get("experts")
    if not isinstance(experts, list) or not experts:
        yield Problem("$.experts", "experts.no_experts", {})
    elif len(experts) > MAX_EXPERTS:
        yield Problem("$.experts", "experts.too_many", {"most": MAX_EXPERTS, "count": len(experts)})
    else:
        for index, expert in enumerate(experts):
            yield from _expert_problems(expert, f"$.experts[{index}]")
        yield from _clashes(experts)
    for key in ("tools", "services"):
        yield from _object_problems(value.get(key), f"$.{key}")


def _expert_problems(expert: JsonValue, path: str) -> Iterator[Problem]:
    if not isinstance(expert, dict):
        yield Problem(path, "experts.not_an_object", {})
        return
    for key in expert.keys() - _EXPERT_KEYS:
        yield Problem(f"{path}.{key}", "experts.unknown_key", {"key": key})
    yield from _name_problems(expert.get("name"), f"{path}.name")
    yield from _text_problems(expert.get("description"), f"{path}.description", MAX_DESCRIPTION)
    for key in ("aliases", "inputs"):
        words = expert.get(key, [])
        if not isinstance(words, list) or len(words) > MAX_WORDS:
            yield Problem(f"{path}.{key}", "experts.not_words", {"most": MAX_WORDS})
            continue
        for index, word in enumerate(words):
            yield from _name_problems(word, f"{path}.{key}[{index}]")


def _clashes(experts: list[JsonValue]) -> Iterator[Problem]:
    """Names and aliases share one space: a word in a plan must mean one expert."""
    owners: dict[str, int] = {}
    for word, path, number in sorted(_spoken(experts), key=lambda each: "aliases" in each[1]):
        if word in owners:
            values = {"name": word, "number": number, "other": owners[word]}
            yield Problem(path, "experts.doubled_name", values)
        owners.setdefault(word, number)


def _spoken(experts: list[JsonValue]) -> Iterator[tuple[str, str, int]]:
    """(word, path, number of the expert) of every name and alias that is text."""
    for index, expert in enumerate(experts):
        fields = expert if isinstance(expert, dict) else {}
        aliases = fields.get("aliases")
        words = {f"$.experts[{index}].name": fields.get("name")}
        for place, alias in enumerate(aliases if isinstance(aliases, list) else []):
            words[f"$.experts[{index}].aliases[{place}]"] = alias
        for path, word in words.items():
            if isinstance(word, str) and word.strip():
                yield word.strip(), path, index + 1


def _name_problems(value: JsonValue, path: str) -> Iterator[Problem]:
    yield from _text_problems(value, path, MAX_NAME)
    if isinstance(value, str) and ("\n" in value or "\r" in value):
        yield Problem(path, "experts.line_break", {})


def _text_problems(value: JsonValue, path: str, most: int) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(path, "experts.not_text", {})
    elif not value.strip():
        yield Problem(path, "experts.blank", {})
    elif len(value) > most:
        yield Problem(path, "experts.too_long", {"most": most, "count": len(value)})
    elif _CONTROL.search(value):
        yield Problem(path, "experts.control_character", {})


def _object_problems(value: JsonValue, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if not isinstance(value, list) or len(value) > MAX_OBJECTS:
        yield Problem(path, "experts.not_objects", {"most": MAX_OBJECTS})
        return
    for index, each in enumerate(value):
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            yield Problem(f"{path}[{index}]", "experts.no_object_name", {})


def _items(fields: Values, key: str) -> list[JsonValue]:
    return cast(list[JsonValue], fields.get(key) or [])


def _text(value: JsonValue) -> str:
    return cast(str, value).strip()
