"""The same rows mean the same, whatever the file is made of; damage is told in one sentence."""

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from labeling.intake.source import open_source, preview
from labeling.intake.source_row import MAX_ROW
from schemas.errors import InvalidInput, NotFound
from schemas.intake import parse_mapping
from schemas.sentences import LANGUAGES

ROWS: list[dict[str, Any]] = [
    {
        "id": "1",
        "query": "上周的流量，\n“怎么”掉了？",
        "history": '[{"role": "user", "content": "a"}]',
    },
    {"id": "2", "query": 'quote " comma , tab \t end', "history": None},
    {"id": None, "query": "=cmd|' /C calc'!A0", "history": None},
]


def as_jsonl(path: Path) -> None:
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")


def as_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=3), "utf-8-sig")


def as_csv(encoding: str, delimiter: str = ",") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
        path.write_bytes(text.getvalue().encode(encoding))

    return write


def as_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append([int(row["id"]) if row["id"] else None, row["query"], row["history"]])
        sheet.cell(sheet.max_row, 2).data_type = "s"
    book.save(path)


def as_parquet(path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write", "encoding"),
    [
        ("a.jsonl", as_jsonl, "utf-8"),
        ("a.json", as_jsonl, "utf-8"),
        ("a.json", as_json, "utf-8"),
        ("a.csv", as_csv("utf-8"), "utf-8"),
        ("a.csv", as_csv("utf-8-sig"), "utf-8-sig"),
        ("a.csv", as_csv("gb18030"), "gb18030"),
        ("a.csv", as_csv("utf-16"), "utf-16"),
        ("a.csv", as_csv("utf-8", ";"), "utf-8"),
        ("a.tsv", as_csv("utf-8", "\t"), "utf-8"),
        ("a.XLSX", as_xlsx, None),
        ("a.parquet", as_parquet, None),
    ],
)
def test_every_format_gives_the_same_rows(
    tmp_path: Path, name: str, write: Callable[[Path], None], encoding: str | None
) -> None:
    write(tmp_path / name)
    seen = preview(tmp_path / name)
    assert list(seen.rows) == ROWS
    assert seen.columns == ("id", "query", "history")
    assert seen.encoding == encoding


def test_rows_of_a_csv_know_the_line_they_begin_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,query\n1,"a\nb"\n\n2,c\n3,d,e\n4\n5,f\n', "utf-8")
    rows = list(open_source(path).rows())
    assert [(row.line, row.code) for row in rows] == [
        (2, None),
        (5, None),
        (6, "intake.wrong_width"),
        (7, "intake.wrong_width"),
        (8, None),
    ]


def test_another_encoding_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("query\n流量\n".encode("big5"))
    assert preview(path, encoding="big5").rows == ({"query": "流量"},)
    with pytest.raises(InvalidInput) as refusal:
        preview(path, encoding="utf-8")
    assert refusal.value.code == "intake.encoding_wrong"


def test_lines_of_json_in_another_encoding_are_refused_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"query": "a"}\n' + '{"query": "流量"}\n'.encode("gb18030"))
    assert [row.code for row in open_source(path).rows()] == [None, "files.not_json"]
    assert [row.value for row in open_source(path, "gb18030").rows()][1] == {"query": "流量"}


def test_an_array_that_breaks_gives_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"query": "a"}, {"query": "b", "query": "c"}, 12, {"query": ', "utf-8")
    rows = list(open_source(path).rows())
    assert [(row.line, row.code) for row in rows] == [
        (1, None),
        (2, "files.doubled_key"),
        (3, "intake.not_an_object"),
        (4, "intake.array_broken"),
    ]


@pytest.mark.parametrize("text", ["[]", "[ ]", "[\n]"])
def test_an_empty_array_has_no_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    assert list(open_source(path).rows()) == []


def test_elements_are_whole_wherever_a_read_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [{"query": "流" * (7919 * number)} for number in range(60)]
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    assert [row.value for row in open_source(path).rows()] == rows


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", b"", "files.empty"),
        ("a.json", b" \n ", "files.empty"),
        ("a.doc", b"x", "intake.format_unknown"),
        ("a.csv", b"\x81\x00\xff\xff\x00\xd8", "intake.encoding_unknown"),
        ("a.csv", b"a,a\n1,2\n", "intake.header_unusable"),
        ("a.csv", b"\n\n", "intake.header_unusable"),
        ("a.xlsx", b"PK\x03\x04 no", "intake.file_unreadable"),
        ("a.parquet", b"PAR1 no", "intake.file_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_told_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput) as refusal:
        list(open_source(tmp_path / name).rows())
    assert refusal.value.code == code
    assert all(refusal.value.sentence(language) for language in LANGUAGES)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other", "x")
    with pytest.raises(InvalidInput):
        preview(path)


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        preview(tmp_path / "none.jsonl")
    with pytest.raises(NotFound):
        preview(tmp_path)


def test_a_row_too_large_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"query": "' + b"x" * (3 * MAX_ROW) + b'"}\n{"query": "next"}\n')
    first, second = open_source(path).rows()
    assert first.code == "intake.row_too_large"
    assert first.shown is not None
    assert len(first.shown) == 2_000
    assert (second.line, second.value) == (2, {"query": "next"})


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_a_large_file_is_read_in_constant_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = "x" * 1_000
    with path.open("w") as file:
        file.write("query\n" if name == "a.csv" else "[" if name == "a.json" else "")
        for number in range(30_000):
            row = f"{text}{number}" if name == "a.csv" else json.dumps({"query": text})
            file.write(row + ("," if name == "a.json" and number < 29_999 else "") + "\n")
        file.write("]" if name == "a.json" else "")
    tracemalloc.start()
    count = sum(1 for _ in open_source(path).rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30_000
    assert peak < 12_000_000 < path.stat().st_size


def test_a_mapping_is_written_as_pairs() -> None:
    assert parse_mapping(["plan=gold_plan", " id = a=b "]) == {"plan": "gold_plan", "id": "a=b"}
    for wrong in ("plan", "=x", "plan=", "gold=plan"):
        with pytest.raises(InvalidInput):
            parse_mapping([wrong])
