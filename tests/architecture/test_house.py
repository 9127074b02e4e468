"""The house stands as it was drawn: languages equal, documents true, modules small."""

import ast
import json
import re
import string
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def _areas(folder: Path) -> dict[str, dict[str, str]]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("folder", ["schemas/sentences", "labeling/ui/words"])
def test_chinese_and_english_say_the_same_things(folder: str) -> None:
    chinese, english = _areas(ROOT / folder / "zh"), _areas(ROOT / folder / "en")
    assert chinese.keys() == english.keys()
    assert chinese, folder
    for area, sentences in english.items():
        assert sentences.keys() == chinese[area].keys(), area
        for name, text in sentences.items():
            assert _fields(text) == _fields(chinese[area][name]), f"{area}.{name}"
            assert text.strip() or name.endswith("_empty"), f"{area}.{name}"


def test_every_code_raised_has_a_sentence() -> None:
    areas = _areas(ROOT / "schemas/sentences/en")
    known = {f"{area}.{name}" for area, sentences in areas.items() for name in sentences}
    family = (
        "NotFound|InvalidInput|TransitionRefused|EditConflict|NotAllowed|ModelServiceError|"
        "ExportRefused|TrainingError"
    )
    raised = re.compile(rf'(?:{family})\(\s*"([a-z_]+\.[a-z0-9_]+)"')
    missing = {
        f"{path.relative_to(ROOT)}: {code}"
        for path in _tracked("*.py")
        if not path.is_relative_to(ROOT / "tests")
        for code in raised.findall(path.read_text("utf-8"))
        if code not in known
    }
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_named_in_the_documents_exists(document: Path) -> None:
    named = re.findall(
        r"`((?:labeling|schemas|exports|db|tests|docs)/[\w./-]+)`", document.read_text("utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_named_in_the_documents_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", document.read_text("utf-8")))
    assert named <= targets


def test_every_command_named_in_the_documents_is_understood() -> None:
    named = {
        command
        for document in DOCUMENTS
        for command in re.findall(r"python app\.py ([a-z]+)", document.read_text("utf-8"))
    }
    answer = subprocess.run(
        [".venv/bin/python" if (ROOT / ".venv").exists() else "python", "app.py", "--help"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    understood = set(re.findall(r"^    ([a-z]+)\b", answer, re.MULTILINE))
    assert named <= understood


def test_no_module_is_longer_than_350_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in _tracked("*.py")
        if not path.is_relative_to(ROOT / "db/migrations")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}


def test_no_function_of_ours_is_longer_than_45_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": size
        for path in _tracked("*.py")
        if not path.is_relative_to(ROOT / "db/migrations")
        and not path.is_relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > 45
    }
    assert long == {}


def test_the_top_level_is_the_users() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {"labeling", "schemas", "exports", "db", "tests"}


def test_the_source_reaches_no_foreign_host() -> None:
    """No page loads a script, a font or an image from anywhere but this server."""
    foreign = re.compile(r"""(?:src|href|url\()\s*=?\s*["'(]?(?:https?:)?//[a-z0-9]""")
    found = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.js", "*.css", "*.html")
        for path in _tracked(pattern)
        if path.is_relative_to(ROOT / "labeling") and foreign.search(path.read_text("utf-8"))
    }
    assert found == set()
