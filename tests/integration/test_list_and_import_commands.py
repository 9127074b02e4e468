"""The command line of lists, prompts and imports: answers for people and machines, exit codes."""

import json
import re
from pathlib import Path

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]


class CommandLine:
    """`python app.py …` in an installation of its own: the exit code and what it says."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PLANWRIGHT_HOME", str(home))
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, *arguments: str, language: str = "en") -> tuple[int, str, str]:
        self.monkeypatch.setenv("PLANWRIGHT_LANGUAGE", language)
        try:
            code = main(list(arguments))
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *self.capsys.readouterr()


@pytest.fixture
def app(
    sqlite_database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    return CommandLine(settings.home, monkeypatch, capsys)


def a_list_file(path: Path, *experts: str) -> str:
    value = {"name": "desk", "experts": [{"name": each, "description": each} for each in experts]}
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    return str(path)


def test_lists_are_published_listed_shown_and_compared(app: CommandLine, tmp_path: Path) -> None:
    first, second = (
        a_list_file(tmp_path / "a.json", "甲"),
        a_list_file(tmp_path / "b.json", "甲", "乙"),
    )
    assert app("experts", "publish", first) == (0, "Published desk@1 with 1 experts.\n", "")
    assert app("experts", "publish", second, language="zh")[1] == "已发布 desk@2，共 2 位专家。\n"
    code, out, _ = app("experts", "publish", first, "--json")
    assert (code, json.loads(out)["is_new"]) == (0, False)
    assert [line.split()[:2] for line in app("experts", "list")[1].splitlines()] == [
        ["desk@2", "2"],
        ["*", "desk@1"],
    ]
    assert app("experts", "show", "desk@2")[1].splitlines() == ["desk@2", "  甲: 甲", "  乙: 乙"]
    assert app("experts", "diff", "desk@1", "desk@2")[1].splitlines() == [
        "+ 乙: 乙",
        "Changes as the lists suggest; nobody has confirmed them:",
        "  add: – → 乙",
    ]
    code, out, _ = app("--json", "experts", "diff", "desk@2", "desk")
    assert json.loads(out)["added"] == []
    code, out, err = app("experts", "show", "desk@3")
    assert (code, out) == (1, "")
    assert "desk@3" in err


def test_a_bad_list_is_told_with_every_place(app: CommandLine, tmp_path: Path) -> None:
    code, out, err = app("experts", "publish", a_list_file(tmp_path / "a.json", "", "甲", "甲"))
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "The expert list cannot be published: 3 places need correction.",
        "$.experts[0].name: This is blank; fill it in.",
        "$.experts[0].description: This is blank; fill it in.",
        "$.experts[2].name: “甲” of expert 3 is already a name or alias of expert 2; a word may "
        "mean one expert only.",
    ]
    assert app("experts", "publish", str(tmp_path / "none.json"))[0] == 1


def test_an_import_answers_in_figures_and_says_by_its_exit_code_that_rows_were_refused(
    app: CommandLine, tmp_path: Path
) -> None:
    app("experts", "publish", a_list_file(tmp_path / "a.json", "甲"))
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "1", "q": "a", "p": {"steps": []}}\n', "utf-8")
    mapped = ("--as", "suggestions", "--map", "query=q", "plan=p", "--json")
    code, out, err = app("import", str(rows), *mapped)
    assert (code, err) == (0, "")
    assert out == (
        '{"read":1,"added":1,"known":0,"changed":0,"incomplete":1,"refused":0,"errors_file":null}\n'
    )
    rows.write_text('{"id": "1", "q": "b"}\n{}\n', "utf-8")
    code, out, _ = app("import", str(rows), "--map", "query=q", "--as", "suggestions")
    assert code == 3
    assert out.splitlines()[0] == (
        "2 rows read: 0 added (0 of them incomplete), 0 known, 1 changed, 1 refused."
    )
    errors = [json.loads(line) for line in Path(out.split()[-1]).read_text("utf-8").splitlines()]
    assert [each["code"] for each in errors] == ["intake.changed", "intake.query_missing"]
    assert app("import", str(rows), "--map", "query")[0] == 1
    assert app("import", str(rows), "--as", "songs")[0] == 2


def test_prompts_are_published_and_listed(app: CommandLine, tmp_path: Path) -> None:
    template = tmp_path / "mine.txt"
    template.write_text("{experts} {example}", "utf-8-sig")
    assert app("prompts", "publish", str(template)) == (0, "Published mine@1.\n", "")
    listed = [json.loads(line) for line in app("prompts", "list", "--json")[1].splitlines()]
    assert [(each["name"], each["is_current"]) for each in listed] == [
        ("mine", True),
        ("planner-en", False),
        ("planner-zh", False),
    ]
    template.write_bytes(b"\xff\xfe")
    assert app("prompts", "publish", str(template))[0] == 1


def test_every_code_of_lists_and_imports_has_a_sentence_in_both_languages() -> None:
    sources = [
        *(ROOT / "labeling" / "intake").glob("*.py"),
        *(ROOT / "labeling" / f"{name}.py" for name in ("experts", "prompts", "commands")),
        *(ROOT / "schemas" / f"{name}.py" for name in ("list_files", "strict_json", "intake")),
    ]
    quoted = re.compile(r'"((?:files|experts|prompts|intake|replies)\.[a-z_]+)"')
    codes = {code for path in sources for code in quoted.findall(path.read_text("utf-8"))}
    assert len(codes) > 50

    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return key

    for code in codes:
        for language in LANGUAGES:
            assert sentence(code, Anything(), language)


def test_recorded_changes_are_given_with_a_file_and_shown(app: CommandLine, tmp_path: Path) -> None:
    first, second = (
        a_list_file(tmp_path / "a.json", "甲"),
        a_list_file(tmp_path / "b.json", "乙"),
    )
    changes = tmp_path / "changes.json"
    changes.write_text('[{"kind": "rename", "before": ["甲"], "after": ["乙"]}]', "utf-8")
    app("experts", "publish", first)
    code, out, _ = app("experts", "impact", "desk@1", second, "--changes", str(changes), "--json")
    assert (code, json.loads(out)["changes"]["source"]) == (0, "recorded")
    app("experts", "publish", second, "--changes", str(changes))
    out = app("experts", "diff", "desk@1", "desk@2", language="zh")[1]
    assert out.splitlines()[-2:] == ["已记录的变更：", "  rename: 甲 → 乙"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text('[{"kind": "rename", "before": ["丙"], "after": ["乙"]}]', "utf-8")
    code, _, told = app("experts", "publish", first, "--changes", str(wrong))
    assert code == 0  # known already: nothing is published, and nothing recorded
    third = a_list_file(tmp_path / "c.json", "丁")
    code, _, told = app("experts", "publish", third, "--changes", str(wrong))
    assert code == 1
    assert "“丙” is no expert of desk@2" in told


def test_rows_of_the_demo_are_moved_and_taken_back(app: CommandLine) -> None:
    app("demo")
    act = ("--project", "demo", "--json", "experts", "migrate", "merchant@1", "merchant@2")
    expected = {"untouched": 11, "automatic": 0, "people": 3, "lost": 0, "known": 0}
    code, out, _ = app(*act, "--dry-run")
    assert (code, json.loads(out)) == (0, expected)
    assert json.loads(app(*act)[1]) == expected
    assert json.loads(app(*act)[1]) == expected | {"people": 0, "known": 3}
    assert json.loads(app(*act, "--take-back")[1]) == {"taken_back": 3}
    code, out, _ = app("--project", "demo", *act[3:], "--dry-run", language="zh")
    assert "3 条由人工选择" in out
