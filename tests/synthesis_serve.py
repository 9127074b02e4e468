"""A process that works on batches as `serve` does, and can be killed at any moment.

Usage: `python -m tests.synthesis_serve HOME [ORDER_JSON]` — with an order it starts a batch;
without one it only resumes what its predecessor left. Prints `launched`, then `done` when nothing
runs any more.
"""

import json
import sys
import time
from pathlib import Path

from db.durable import Durable
from db.engine import open_database
from labeling.accounts import command_line_actor
from labeling.synthesis.batch import list_batches, start_batch
from schemas.settings import Settings
from schemas.synthesis import SynthesisOrder


def main(home: str, order: str | None = None) -> None:
    settings = Settings(home=Path(home))
    database = open_database(settings)
    durable = Durable(settings, database, "serve")
    durable.launch()
    who = command_line_actor(database, "main")
    if order:
        start_batch(database, durable, who, SynthesisOrder.read(json.loads(order)))
    print("launched", flush=True)
    while any(each.state == "running" for each in list_batches(database, who)):
        time.sleep(0.1)
    print("done", flush=True)
    durable.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
