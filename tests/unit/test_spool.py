"""Lines that wait on the disk for their place in a file."""

import json
from hashlib import sha256
from pathlib import Path

from exports.spool import Mark, Spool
from schemas.bundle import RowOrigin

ONE = Mark(b'{"head":1', ("a", "b"), "prompt", False)
TWO = Mark(b"", ("b",), None, True)
LINES = [(b'{"head":1,"n":1}\n', ONE), (b'{"n":2}\n', TWO), (b'{"head":1,"n":3}\n', ONE)]


def an_origin(number: int) -> RowOrigin:
    return RowOrigin("accepted", f"q{number}", f"s{number}", None, None, "hash")


def filled(folder: Path, numbers: list[int]) -> Spool:
    spool = Spool(folder)
    for number in numbers:
        spool.add(an_origin(number), *LINES[number])
    return spool


def test_a_spool_gives_lines_back_whole_and_counts_them(tmp_path: Path) -> None:
    with filled(tmp_path, [0, 1, 2]) as spool:
        _, lines = spool.records([2, 0, 1])
        assert lines == [LINES[2][0], LINES[0][0], LINES[1][0]]
        tally = spool.tally([2, 1])
    assert tally.steps_by_expert == {"a": 1, "b": 2}
    assert (tally.prompt_ids, tally.form_missed) == ({"prompt"}, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_origin_stands_beside_its_line_with_the_hash_of_it(tmp_path: Path) -> None:
    with filled(tmp_path, [0, 1]) as spool:
        (origin,), (line,) = spool.records([1])
    assert origin.endswith(b"\n")
    assert RowOrigin(*json.loads(origin)) == an_origin(1)._replace(
        row_hash=sha256(line).hexdigest()[:16]
    )


def test_a_head_is_kept_once(tmp_path: Path) -> None:
    long = Mark(b"{" + b"x" * 10_000, ("a",), "prompt", False)
    with Spool(tmp_path) as spool:
        for number in range(10):
            spool.add(an_origin(number), long.head + b"}\n", long)
        assert spool.size < 2000
        assert spool.records([7])[1] == [long.head + b"}\n"]


def test_the_lines_of_another_spool_come_after_ones_own(tmp_path: Path) -> None:
    with filled(tmp_path, [0]) as own:
        other = filled(tmp_path, [1, 2])
        assert own.adopt(other.file, other.shut()) == 1
        origins, lines = own.records([2, 0, 1])
        assert lines == [LINES[2][0], LINES[0][0], LINES[1][0]]
        assert [json.loads(each)[1] for each in origins] == ["q2", "q0", "q1"]
        assert own.tally([0, 1, 2]).steps_by_expert == {"a": 2, "b": 3}
    assert list(tmp_path.iterdir()) == []
