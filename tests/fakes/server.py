"""A stand-in for ms-swift's server: an interpreter that takes `inside/serve.py` and its words.

It notes each start, writes the port that it listens on, says a line and answers `/health`.
"""

import sys
from pathlib import Path

SCRIPT = """#!{python}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

port_file = Path(sys.argv[3])
words = sys.argv[5:]
folder = port_file.parent
with (folder / "starts").open("a") as starts:
    starts.write(os.environ.get("CUDA_VISIBLE_DEVICES", "all") + "\\n")

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

server = HTTPServer(("127.0.0.1", int(words[words.index("--port") + 1])), Health)
port_file.write_text(str(server.server_port))
print("the planner is loaded", flush=True)
server.serve_forever()
"""


def write_server(folder: Path) -> Path:
    """The interpreter, for settings."""
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(SCRIPT.format(python=sys.executable), "utf-8")
    path.chmod(0o755)
    return path
