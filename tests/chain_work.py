"""A process that drives chains, for tests that kill it.

Usage: `python -m tests.chain_work HOME EXECUTOR [BUNDLE …]`: launches an executor, which resumes
what it left unfinished, and starts a short SFT on each bundle, from the model that the variable
`MODEL` names. It stays until it is killed.
"""

import os
import sys
import threading
from pathlib import Path

from db.durable import Durable
from db.engine import open_database
from exports.training.chain import start_chain
from labeling.accounts import command_line_actor
from schemas.settings import Settings
from schemas.training import ChainOrder

ORDER = ChainOrder(stages=("sft",), overrides={"sft": {"max_steps": 20, "save_steps": 20}})


def main(home: str, executor: str, *bundles: str) -> None:
    """Launch, start, stay."""
    settings = Settings(home=Path(home))
    database = open_database(settings)
    durable = Durable(settings, database, executor)
    durable.launch()
    order = ORDER.model_copy(update={"model": os.environ.get("MODEL")})
    for bundle in bundles:
        who = command_line_actor(database, "main")
        start_chain(database, durable, settings, who, bundle, "cpu-smoke", order)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
