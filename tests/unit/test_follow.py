"""A run is followed by its files, from where one left off."""

import json
import math
from pathlib import Path

from exports.training.columns import columns_of
from exports.training.follow import curves_of, read_log
from exports.training.outcome import last_lines
from schemas.training import Point


def line(step: int, **values: float) -> str:
    return json.dumps({"loss": 0.5, **values, "global_step/max_steps": f"{step}/3"})


def a_run(folder: Path, text: str) -> Path:
    (folder / "output").mkdir()
    (folder / "output" / "logging.jsonl").write_text(text, "utf-8")
    return folder


def test_steps_are_read_on_from_where_one_left_off(tmp_path: Path) -> None:
    folder = a_run(tmp_path, line(1) + "\n" + line(2) + "\n")
    assert columns_of(folder).steps == [1, 2]
    with (folder / "output" / "logging.jsonl").open("a") as file:
        file.write(line(3, kl=0.5) + "\n")
    columns = columns_of(folder)
    assert columns.steps == [1, 2, 3]
    assert [*map(math.isnan, columns.column("kl"))] == [True, True, False]
    assert columns.column("kl")[2] == 0.5


def test_a_line_half_written_waits_for_its_rest(tmp_path: Path) -> None:
    whole = line(2)
    folder = a_run(tmp_path, line(1) + "\n" + whole[:20])
    assert columns_of(folder).steps == [1]
    with (folder / "output" / "logging.jsonl").open("a") as file:
        file.write(whole[20:] + "\n")
    assert columns_of(folder).steps == [1, 2]


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    folder = a_run(tmp_path, line(1) + "\n" + line(2) + "\n")
    assert columns_of(folder).steps == [1, 2]
    (folder / "output" / "logging.jsonl").write_text(line(1) + "\n")
    assert columns_of(folder).steps == [1]


def test_lines_about_the_run_and_lines_that_are_broken_are_no_steps(tmp_path: Path) -> None:
    end = json.dumps({"train_runtime": 3.0, "global_step/max_steps": "3/3"})
    summary = json.dumps({"log_history": [], "global_step": 3})
    folder = a_run(tmp_path, "\n".join([line(3), end, summary, "{bad", "[]"]) + "\n")
    assert columns_of(folder).steps == [3]


def test_an_evaluation_stands_at_the_step_it_tells_of(tmp_path: Path) -> None:
    told = json.dumps({"eval_loss": 0.25, "global_step/max_steps": "2/3"})
    folder = a_run(tmp_path, "\n".join([line(1), line(2), told, line(3)]) + "\n")
    assert columns_of(folder).steps == [1, 2, 3]
    assert curves_of(folder)["eval_loss"] == (Point(step=2, value=0.25),)


def test_a_value_that_is_not_finite_has_no_point_and_is_remembered(tmp_path: Path) -> None:
    lines = [line(1, kl=float("nan")), line(2, kl=0.25), line(3, kl=float("inf"))]
    folder = a_run(tmp_path, "\n".join(lines) + "\n")
    curves = curves_of(folder)
    assert curves["kl"] == (Point(step=2, value=0.25),)
    assert [point.step for point in curves["loss"]] == [1, 2, 3]
    assert columns_of(folder).broken == {"kl": 1}


def test_a_run_without_files_has_nothing_to_show(tmp_path: Path) -> None:
    assert curves_of(tmp_path) == {}
    assert read_log(tmp_path) == ("", 0)
    assert last_lines(tmp_path, 5) == ""


def test_the_log_is_read_on_from_an_offset_and_never_more_than_its_end(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("one\ntwo\n")
    first = read_log(tmp_path)
    assert first.text == "one\ntwo\n"
    with (tmp_path / "log.txt").open("a") as log:
        log.write("x" * 100)
    assert read_log(tmp_path, first.offset, limit=10).text == "x" * 10


def test_a_progress_bar_shows_only_its_last_state(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("start\nTrain: 1%\rTrain: 50%\rTrain: 100%\n\nend\n")
    assert last_lines(tmp_path, 2) == "Train: 100%\nend"


def test_what_a_server_said_is_found_behind_our_looks_at_it(tmp_path: Path) -> None:
    look = 'INFO:     127.0.0.1:41324 - "GET /health HTTP/1.1" 200 OK\n'
    log = tmp_path / "log.txt"
    log.write_text("started\n" + look * 9000 + "asked\n" + look * 9000, "utf-8")
    assert last_lines(tmp_path, 5) == "started\nasked"
    assert last_lines(tmp_path, 1) == "asked"
