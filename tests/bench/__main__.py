"""Runs every bench in a process of its own and writes `docs/benchmarks.md`.

Usage: `python -m tests.bench [NAME …]`; without names, all of them. With names, only their
sections of the page are written anew.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench.figures import RESULTS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
OURS = {"__main__", "__init__", "figures", "queries"} | {
    "experiment",  # takes ten minutes, and has a page of its own
    "experiment_page",
    "experiment_task",
}
HEAD = """# Benchmarks

Written by `make bench`; repeat a section with its command. Every figure stands beside a floor that
was measured in the same run, because machines differ and are noisy: compare ratios, not seconds.
{machine}
"""


def main(names: list[str]) -> int:
    """Run the benches; the exit code is 1 when one of them crashed."""
    benches = names or sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OURS)
    crashed = [
        name
        for name in benches
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
    ]
    PAGE.write_text(
        _with_sections([each for each in names if each not in crashed]) if names else _page(),
        "utf-8",
    )
    for name in crashed:
        print(f"crashed: {name}", file=sys.stderr)
    return 1 if crashed else 0


def _page() -> str:
    machine = (
        f"Last written on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}."
    )
    parts = [HEAD.format(machine=machine)]
    for path in sorted(RESULTS.glob("*.json")):
        parts.append(_section(path.stem, json.loads(path.read_text("utf-8"))))
    return "\n".join(parts)


def _with_sections(names: list[str]) -> str:
    """The page as it stands, with the sections of these benches put in their places."""
    head, *sections = PAGE.read_text("utf-8").split("\n## ")
    by_name = {section.partition("\n")[0]: section.rstrip("\n") + "\n" for section in sections}
    for name in names:
        rows = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
        by_name[name] = _section(name, rows).removeprefix("## ")
    return "\n## ".join([head, *(by_name[name] for name in sorted(by_name))])


def _section(name: str, rows: list[dict[str, object]]) -> str:
    lines = [
        f"## {name}",
        "",
        f"`.venv/bin/python -m tests.bench {name}`",
        "",
        "| what | figure | floor | ratio | promised |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        floor = f"{row['floor']:,.4g} ({row['floor_is']})" if row["floor"] else "–"
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else "–"
        figure = f"{row['value']:,.4g} {row['unit']}"
        lines.append(f"| {row['what']} | {figure} | {floor} | {ratio} | {row['target']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
