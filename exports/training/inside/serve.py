"""`swift deploy` with its key from the environment.

`python -I serve.py PORT_FILE exact|any WORDS…`: the words are those of `swift deploy`. The key
would otherwise stand in the process list and in the log, where ms-swift prints its arguments. It
silently takes a free port in place of one that is busy, or was until a minute ago; `exact` means
this port, or none.
"""

import os
import socket
import sys
from importlib import import_module
from pathlib import Path


def main(port_file: str, port: str, words: list[str]) -> None:
    """Serve until the process is ended; the port that was taken is written first."""
    asked = int(words[words.index("--port") + 1])
    if port == "exact" and not _is_free(words[words.index("--host") + 1], asked):
        sys.exit(f"port {asked} is taken")
    server = import_module("swift.pipelines.infer.deploy").SwiftDeploy(words)
    if port == "exact":
        server.args.port = asked
    server.args.api_key = os.environ.pop("SERVING_KEY")
    server._install_auth_middleware()  # with no key at construction, it did nothing
    unfinished = Path(f"{port_file}.new")
    unfinished.write_text(str(server.args.port), "utf-8")
    unfinished.rename(port_file)
    server.run()


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
