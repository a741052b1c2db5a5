"""The demo as a whole: how long it takes and how much memory, and how fast its workspace answers afterwards."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.startup import HEPTAD, STATUS_MS, milliseconds

SECONDS, MEGABYTES = 240.0, 1500.0


def measure() -> list[Figure]:
    """One whole run in a new folder; its limits are what was promised for two cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        began = time.perf_counter()
        subprocess.run([*HEPTAD, "demo", str(folder)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        memory = float(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["observed"]["peak_rss_mb"])
        status = milliseconds([*HEPTAD, "status", "--project", str(folder)])
    cores = os.cpu_count() or 1
    return [
        _figure(f"demo, {cores} cores", seconds, "s", SECONDS),
        _figure("demo, memory of all its processes at most", memory, "MB", MEGABYTES),
        _figure("heptad status on the demo's workspace", status, "ms", STATUS_MS),
    ]


def _figure(name: str, value: float, unit: str, most: float) -> Figure:
    floor = f"{most:g} {unit}"
    return Figure(name=name, value=value, unit=unit, limit=most, ratio=value / most, floor=floor, holds=value <= most)
