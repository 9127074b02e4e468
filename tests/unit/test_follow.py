"""A run is followed by its files, from where one left off."""

import json
from pathlib import Path

from exports.training.follow import read_log, read_metrics, series
from exports.training.outcome import last_lines
from schemas.training import Point


def line(step: int, **values: float) -> str:
    return json.dumps({"loss": 0.5, **values, "global_step/max_steps": f"{step}/3"})


def a_run(folder: Path, text: str) -> Path:
    (folder / "output").mkdir()
    (folder / "output" / "logging.jsonl").write_text(text, "utf-8")
    return folder


def test_metrics_are_read_on_from_an_offset(tmp_path: Path) -> None:
    folder = a_run(tmp_path, line(1) + "\n" + line(2) + "\n")
    first = read_metrics(folder)
    assert len(first.steps) == 2
    with (folder / "output" / "logging.jsonl").open("a") as file:
        file.write(line(3) + "\n")
    later = read_metrics(folder, first.offset)
    assert [each["global_step/max_steps"] for each in later.steps] == ["3/3"]
    assert read_metrics(folder, later.offset).steps == ()


def test_a_line_half_written_waits_for_its_rest(tmp_path: Path) -> None:
    whole = line(2)
    folder = a_run(tmp_path, line(1) + "\n" + whole[:20])
    first = read_metrics(folder)
    assert len(first.steps) == 1
    with (folder / "output" / "logging.jsonl").open("a") as file:
        file.write(whole[20:] + "\n")
    assert len(read_metrics(folder, first.offset).steps) == 1


def test_lines_about_the_run_are_no_steps(tmp_path: Path) -> None:
    end = json.dumps({"train_runtime": 3.0, "global_step/max_steps": "3/3"})
    summary = json.dumps({"log_history": [], "global_step": 3})
    folder = a_run(tmp_path, "\n".join([line(3), end, summary]) + "\n")
    assert len(read_metrics(folder).steps) == 1


def test_a_value_that_is_not_finite_has_no_point(tmp_path: Path) -> None:
    folder = a_run(tmp_path, line(1, kl=float("nan")) + "\n" + line(2, kl=0.25) + "\n")
    curves = series(read_metrics(folder).steps)
    assert curves["kl"] == (Point(step=2, value=0.25),)
    assert [point.step for point in curves["loss"]] == [1, 2]


def test_a_run_without_files_has_nothing_to_show(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == ((), 0)
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
