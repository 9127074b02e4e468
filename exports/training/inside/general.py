"""A small general benchmark put to an endpoint by EvalScope, in an environment of its own.

`python -I general.py REQUEST.json`; the key comes through the environment. EvalScope writes its
report into the request's `work` folder.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path


def main(request_file: str) -> None:
    """Ask and score; nothing is downloaded."""
    request = json.loads(Path(request_file).read_text("utf-8"))
    tool = import_module("evalscope")
    tool.run_task(
        tool.TaskConfig(
            model=request["model"],
            api_url=request["url"],
            api_key=os.environ.pop("CHECK_KEY"),
            eval_type="openai_api",
            datasets=["general_mcq"],
            dataset_args={
                "general_mcq": {"local_path": request["data"], "subset_list": [request["name"]]}
            },
            generation_config={"temperature": 0, "max_tokens": request["max_tokens"]},
            limit=request["limit"],
            work_dir=request["work"],
            no_timestamp=True,
            eval_batch_size=4,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
