"""`swift deploy` on loopback with its key from the environment.

`python -I serve.py PORT_FILE WORDS…`: the words are those of `swift deploy`. The key would
otherwise stand in the process list and in the log, where ms-swift prints its arguments.
"""

import os
import sys
from importlib import import_module
from pathlib import Path


def main(port_file: str, words: list[str]) -> None:
    """Serve until the process is ended; the port that was taken is written first."""
    server = import_module("swift.pipelines.infer.deploy").SwiftDeploy(
        [*words, "--host", "127.0.0.1"]
    )
    server.args.api_key = os.environ.pop("SERVING_KEY")
    server._install_auth_middleware()  # with no key at construction, it did nothing
    Path(port_file).write_text(str(server.args.port), "utf-8")
    server.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
