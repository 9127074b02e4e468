"""Whether ms-swift reads back every row of a bundle, and how long each is for the chosen template.

The same loader, preprocessor and template as in training. Rows are told by file and line; a row is
lost when the preprocessor drops it, changed when it reads other messages than were written, cast
when it reads another value of a column (which it takes from its neighbours' types, or fills with
None where a row lacks it), too long when it has more tokens than `max_length`. Only the checks that
a request names are made.
"""

import json
import multiprocessing
import re
import runpy
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

MODES = {"sft": "train", "agent": "train", "grpo": "transformers", "dpo": "rlhf", "kto": "train"}
ANSWERS = ("assistant", "tool_call")
KEPT = frozenset({"role", "content"})
"""All that is kept of a message; `reasoning_content`, for one, is thrown away."""
TOLD = 200
_ABSENT = object()
_LONGER = re.compile(r"length of row\((\d+)\) is larger")
_work: dict[str, Any] = {}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """For each file: rows in, read and tokenised, token lengths, and differences by line."""
    if request["build"]:
        _build(*request["build"])
    template = _template(request) if request["model"] else None
    began = time.perf_counter()
    files = {each["file"]: _read_back(each, template, request) for each in request["files"]}
    return {
        "files": files,
        "seconds": time.perf_counter() - began,
        "prompt_end": _prompt_end(template) if template else None,
    }


def _build(script: str, folder: str, *datasets: str) -> None:
    """The tiny model, if nobody has built it yet; torch and transformers are here anyway."""
    if not Path(folder).exists():
        runpy.run_path(script)["build"](Path(folder), [Path(each) for each in datasets])


def _template(request: dict[str, Any]) -> Any:
    swift = import_module("swift")
    processor = swift.get_processor(request["model"], model_type=request["model_type"])
    return swift.get_template(
        processor,
        template_type=request["template"],
        enable_thinking=request["with_thinking"],
        loss_scale=request["loss_scale"],
        truncation_strategy="raise",
    )


def _prompt_end(template: Any) -> str:
    """The last characters of a rollout's prompt, which say whether it is asked to think."""
    template.set_mode("transformers")
    row = template.encode({"messages": [{"role": "user", "content": "?"}]})
    return str(template.safe_decode(row["input_ids"]))[-60:]


def _read_back(file: dict[str, Any], template: Any, request: dict[str, Any]) -> dict[str, Any]:
    lines = Path(file["path"]).read_bytes().split(b"\n")[:-1]
    report: dict[str, Any] = {"rows_in": len(lines), "rows_read": 0, "rows_tokenised": None}
    report |= {"differences": [], "count": 0, "lengths": None}
    written: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            written.append(json.loads(line))
        except ValueError as error:
            difference = {"line": number, "what": "not_json", "detail": str(error)}
            return {**report, "count": 1, "differences": [difference]}
    if not written:
        return report
    read, problem = _load(file["path"])
    report["rows_read"] = len(read)
    is_whole = len(read) == len(written) and not problem
    differences = [] if is_whole else _lost(written, read, problem)
    differences = [each for each in differences if each["what"] in (*request["checks"], "refused")]
    if is_whole:
        _work.update(read=read, written=written, template=template, kind=file["kind"])
        _work.update(max_length=request["max_length"], checks=request["checks"])
        parts = list(_measured(len(written), request["processes"]))
        differences = [each for part in parts for each in part[1]]
        lengths = sorted(length for part in parts for length in part[0])
        if template is not None:
            report["rows_tokenised"] = len(lengths)
            report["lengths"] = _spread(lengths)
    report["count"] = len(differences)
    report["differences"] = differences[:TOLD]
    return report


def _load(path: str) -> tuple[Any, str | None]:
    """The rows as training reads them, and what the strict loader says if it refuses."""
    load = import_module("swift.dataset").load_dataset
    options = {"load_from_cache_file": False, "remove_unused_columns": False}
    try:
        return load([path], strict=True, **options)[0], None
    except Exception as error:  # noqa: BLE001  each bad row has an exception of its own
        problem = f"{type(error).__name__}: {error}"
    try:
        kept = load([path], strict=False, **options)[0]
    except Exception:  # noqa: BLE001
        kept = None
    return (kept if kept is not None else []), problem


def _lost(written: list[Any], read: Any, problem: str | None) -> list[dict[str, Any]]:
    """Rows that were written and not read, by walking both in order."""
    kept, found = iter([_words(row) for row in read]), []
    current = next(kept, None)
    for line, row in enumerate(written, 1):
        if current is not None and _words(row) == current:
            current = next(kept, None)
        else:
            found.append({"line": line, "what": "lost", "detail": problem or ""})
    return found or [{"line": 0, "what": "refused", "detail": problem or ""}]


def _words(row: dict[str, Any]) -> list[tuple[Any, Any]] | None:
    messages = row.get("messages")
    if not isinstance(messages, list):
        return None
    return [(each.get("role"), each.get("content")) for each in messages]


def _measured(rows: int, processes: int) -> Iterator[tuple[list[int], list[dict[str, Any]]]]:
    size = max(1, min(1000, -(-rows // processes)))
    spans = [(start, min(start + size, rows)) for start in range(0, rows, size)]
    if processes == 1 or len(spans) == 1:
        yield from map(_measure, spans)
        return
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from pool.imap(_measure, spans)


def _measure(span: tuple[int, int]) -> tuple[list[int], list[dict[str, Any]]]:
    """Token lengths and differences of some rows."""
    lengths: list[int] = []
    differences: list[dict[str, Any]] = []
    for position in range(*span):
        row, written = _work["read"][position], _work["written"][position]
        problem = _problem(row, written, lengths)
        if problem and problem["what"] in _work["checks"]:
            differences.append({"line": position + 1, **problem})
    return lengths, differences


def _problem(
    row: dict[str, Any], written: dict[str, Any], lengths: list[int]
) -> dict[str, Any] | None:
    """The first thing that is wrong with a row that was read."""
    if _words(row) != _words(written) or not all(map(KEPT.issuperset, written["messages"])):
        return {"what": "changed", "detail": ""}
    cast = _cast(row, written)
    if cast is not None:
        return {"what": "cast", "detail": "", "column": cast}
    if _work["kind"] != "grpo" and written["messages"][-1]["role"] not in ANSWERS:
        return {"what": "no_answer", "detail": ""}
    return None if _work["template"] is None else _encode(row, lengths)


def _cast(row: dict[str, Any], written: dict[str, Any]) -> str | None:
    """A column whose value is not the one that was written; ms-swift adds its own `dataset`."""
    for column in {*row, *written} - {"messages", "dataset"}:
        read, wrote = row.get(column, _ABSENT), written.get(column, _ABSENT)
        if column == "tools" and isinstance(wrote, str):
            wrote = json.loads(wrote)
            read = json.loads(read) if isinstance(read, str) else read
        if read != wrote or type(read) is not type(wrote):
            return column
    return None


def _encode(row: dict[str, Any], lengths: list[int]) -> dict[str, Any] | None:
    template, kind = _work["template"], _work["kind"]
    template.set_mode(MODES[kind])
    try:
        encoded = template.encode(dict(row), return_length=True)
    except Exception as error:  # noqa: BLE001  whatever the template raises, training would too
        longer = _LONGER.search(str(error))
        if longer:  # than the model itself takes
            return {"what": "too_long", "detail": "", "tokens": int(longer[1])}
        return {"what": "not_tokenised", "detail": f"{type(error).__name__}: {error}"}
    length = max(encoded["lengths"])
    lengths.append(length)
    if length > _work["max_length"]:
        return {"what": "too_long", "detail": "", "tokens": length}
    if kind in ("sft", "agent") and all(label == -100 for label in encoded["labels"]):
        return {"what": "no_answer", "detail": ""}
    return None


def _spread(lengths: list[int]) -> dict[str, float] | None:
    if not lengths:
        return None
    return {
        "min": lengths[0],
        "median": lengths[len(lengths) // 2],
        "p95": lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))],
        "max": lengths[-1],
    }
