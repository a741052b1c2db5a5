"""Points shipped to a server by HTTP, beside the same bytes sent to a bare handler that appends them to a file."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.records import Id, new_id
from heptad.core.store import Segment
from heptad.experiments import Run, RunBegin
from heptad.experiments.journal.http_target import HttpTarget

SERIES, LENGTH, TURNS = 10, 10_000, 10
TIMES = 5.0
BARE = """
import http.server, os, sys
file = open(sys.argv[1], "ab", buffering=0)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        file.write(self.rfile.read(int(self.headers["Content-Length"])))
        os.fdatasync(file.fileno())
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def measure() -> list[Figure]:
    """Both in turns, by the same client."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        command = [sys.executable, "-c", BARE, str(folder / "bytes")]
        bare = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert bare.stdout is not None
            limits = HttpTarget(f"http://127.0.0.1:{int(bare.stdout.readline())}")
            with start_api(ApiOptions(root=str(folder / "ours"), port=0), folder / "api.log") as server:
                ours, run = HttpTarget(server.url), new_id(Run.prefix)
                ours.begin(RunBegin(run=run, at=time.time(), body=Run(name="bench", experiment="bench")))
                taken, least = 0.0, 0.0
                for turn in range(TURNS):
                    points = _segments(run, turn * LENGTH)
                    least += _seconds(limits, points)
                    taken += _seconds(ours, points)
                ours.close()
            limits.close()
        finally:
            bare.terminate()
            bare.wait()
    count = SERIES * LENGTH * TURNS
    value, limit = count / taken, count / least
    return [
        Figure(
            name="shipping: points by HTTP, bare handler over ours",
            value=value,
            unit="1/s",
            limit=limit,
            ratio=limit / value,
            floor=f"within {TIMES:.0f} times a handler that appends the same bytes to a synced file",
            holds=limit <= TIMES * value,
        )
    ]


def _segments(run: Id, first: int) -> list[Segment]:
    steps = list(range(first, first + LENGTH))
    values = [0.1 * step for step in steps]
    return [
        Segment(record=run, key=f"metric {number}", first=first, steps=steps, values=values, times=values)
        for number in range(SERIES)
    ]


def _seconds(target: HttpTarget, points: list[Segment]) -> float:
    began = time.perf_counter()
    target.append(points)
    return time.perf_counter() - began
