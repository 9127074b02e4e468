"""A process that does durable work for the tests, and can be killed at any moment.

Usage: `python -m tests.durable_work HOME EXECUTOR FILE [start|enqueue|idle]` — the work appends a
line to FILE when a step begins and when it ends. The step whose number stands in FILE.hold does not
end while that file is there.
"""

import sys
import time
from pathlib import Path

from db.durable import Durable, enqueue, step, workflow
from db.engine import open_database
from schemas.settings import Settings


def _note(file: str, line: str) -> None:
    with Path(file).open("a") as stream:
        stream.write(line + "\n")


def _is_held(hold: Path, number: int) -> bool:
    try:
        return hold.read_text() == str(number)
    except FileNotFoundError:
        return False


@step("tests.line")
def write_line(file: str, number: int) -> int:
    _note(file, f"begin {number}")
    while _is_held(Path(f"{file}.hold"), number):
        time.sleep(0.02)
    _note(file, f"end {number}")
    return number


@workflow("tests.lines")
def write_lines(file: str, count: int) -> int:
    return sum(write_line(file, number) for number in range(count))


def main(home: str, executor: str, file: str, act: str) -> None:
    settings = Settings(home=Path(home))
    database = open_database(settings)
    if act == "enqueue":
        enqueue(settings, database, write_lines, "lines", file, 6)
        return
    durable = Durable(settings, database, executor)
    durable.launch()
    if act == "start":
        durable.start(write_lines, "lines", file, 6)
    print("launched", flush=True)
    if act == "wait":
        print(durable.wait("lines"), flush=True)
        durable.close()
        return
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
