"""What waits before anything happens: importing heptad, and the first words of its commands."""

import compileall
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import heptad
from bench.figures import Figure
from heptad.core.records import Change, Record, new_id
from heptad.project import create_from_table

IMPORT_MS, HELP_MS, STATUS_MS = 40.0, 200.0, 500.0
REPEATS = 15
RUNS = 1_000
"""Runs beside those of a real search; the demo's workspace holds a tenth of that."""
HEPTAD = [sys.executable, "-c", "from heptad.cli import main; main()"]
MUST_NOT_LOAD = ("numpy", "polars", "sqlalchemy", "sklearn")


def measure() -> list[Figure]:
    """Each in new processes, bytecode compiled; the best of several, against a bare interpreter."""
    compileall.compile_dir(Path(heptad.__file__).parent, quiet=1)
    bare = milliseconds([sys.executable, "-c", "pass"])
    imported = milliseconds([sys.executable, "-c", "import heptad"]) - bare
    clean = not heavy_modules()
    with tempfile.TemporaryDirectory() as folder:
        project = a_project(Path(folder))
        return [
            _figure("import heptad", imported, bare, IMPORT_MS, also=clean, more=" and no numpy"),
            _figure("heptad --help", milliseconds([*HEPTAD, "--help"]), bare, HELP_MS),
            _figure("heptad status", milliseconds([*HEPTAD, "status", "--project", str(project)]), bare, STATUS_MS),
        ]


def milliseconds(command: list[str]) -> float:
    """Of a whole process, the best of several."""
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"COLUMNS": "80"})
        taken.append(time.perf_counter() - began)
    return 1000 * min(taken)


def heavy_modules() -> list[str]:
    """What `import heptad` loads and should not."""
    asked = f"import sys, heptad; print(*(one for one in {MUST_NOT_LOAD} if one in sys.modules))"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    return said.stdout.split()


def a_project(folder: Path) -> Path:
    """A project that went through steps 1 to 4, and many runs in its store."""
    rng = np.random.default_rng(7)
    amounts = rng.normal(size=400)
    label = np.where(amounts + rng.normal(size=400) > 0, "yes", "no")
    table = folder / "table.csv"
    pl.DataFrame({"amount": amounts, "other": rng.normal(size=400), "label": label}).write_csv(table)
    (settings,) = create_from_table(folder / "project", table, "label")
    text = settings.read_text(encoding="utf-8").replace("[search]", '[search]\nestimators = ["linear"]\ntrials = 3')
    settings.write_text(text, encoding="utf-8")
    project = heptad.open(settings.parent)
    run = project.run().best
    copies = [
        Record(
            id=new_id("run"), kind=run.kind, scope=run.scope, at=run.at, actor=run.actor,
            body={"name": f"run {number}", "experiment": run.scope, "environment": run.body.environment},
            attributes={"status": "finished", "metrics.roc_auc": float(value)},
        )
        for number, value in enumerate(rng.random(RUNS))
    ]  # fmt: skip
    project.workspace.store.write(Change(records=copies))
    return settings.parent


def _figure(name: str, value: float, bare: float, most: float, *, also: bool = True, more: str = "") -> Figure:
    return Figure(
        name=name,
        value=value,
        unit="ms",
        limit=bare,
        ratio=value / bare,
        floor=f"{most:g} ms{more}",
        holds=value <= most and also,
    )
