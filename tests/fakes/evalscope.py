"""A stand-in for an environment with EvalScope 1.14: an interpreter that takes our launcher.

It asks the endpoint each question of the copied file for real and writes the report in the tool's
own place and form (schema version 2).
"""

import sys
from pathlib import Path

SCRIPT = """#!{python}
import csv, json, os, sys, types
from pathlib import Path

import httpx


class TaskConfig:
    def __init__(self, **given):
        self.__dict__.update(given)


def run_task(config):
    (name,) = config.datasets
    terms = config.dataset_args[name]
    path = Path(terms["local_path"], terms["subset_list"][0] + "_val.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig")))[: config.limit]
    right = 0
    for row in rows:
        asked = {{
            "model": config.model,
            "messages": [
                {{"role": "system", "content": "- A: \\n- B: "}},
                {{"role": "user", "content": row["question"]}},
            ],
            **config.generation_config,
        }}
        answer = httpx.post(
            config.api_url + "/chat/completions",
            json=asked,
            headers={{"Authorization": "Bearer " + config.api_key}},
            timeout=60,
        )
        answer.raise_for_status()
        said = json.dumps(answer.json(), ensure_ascii=False)
        right += row[row["answer"]] in said
    report = {{"schema_version": 2, "metrics": [{{"score": right / len(rows), "num": len(rows)}}]}}
    folder = Path(config.work_dir, "reports", config.model)
    folder.mkdir(parents=True)
    (folder / f"{{name}}.json").write_text(json.dumps(report), "utf-8")


tool = types.ModuleType("evalscope")
tool.TaskConfig, tool.run_task = TaskConfig, run_task
sys.modules["evalscope"] = tool
isolated, script, *sys.argv[1:] = sys.argv[1:]
assert isolated == "-I"
exec(compile(Path(script).read_text("utf-8"), script, "exec"), {{"__name__": "__main__"}})
"""


def write_evalscope(folder: Path) -> Path:
    """The interpreter of an environment that has EvalScope."""
    path = folder / "evalscope-python"
    path.write_text(SCRIPT.format(python=sys.executable), "utf-8")
    path.chmod(0o755)
    return path
