"""Materialises in forked processes that are killed at each boundary in turn; prints what came of it as JSON.

Nothing here uses a thread of polars before it forks, so that every boundary can have a process of its own.
Usage: python -m tests.data.features.killing FOLDER
"""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from tests.data.features.conftest import MOMENT, at

from heptad.adapters.lmdb import LmdbStore
from heptad.core import faults
from heptad.core.memory import budget
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features import materialising
from heptad.data.features.definitions import define
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.views import View

ENTITIES = 12
ROWS = [(f"g{number % ENTITIES}", number, number + (number * 7) % 13, number) for number in range(10 * ENTITIES)]
MAKE = {"total": MadeSettings(call="sum", of="v", window="99h"), "before": MadeSettings(call="lag", of="v")}
KINDS: dict[str, dict[str, Any]] = {
    "history": {"make": MAKE, "known": "k"},
    "stream": {"make": MAKE, "known": "k", "stream": True},
    "lookup": {"columns": ["v"]},
}


def bring(folder: Path, kind: str, memory: int) -> None:
    """One materialisation of everything, a few rows a commit; of a stream, pushes that ask where to go on."""
    materialising.ROWS_A_COMMIT, materialising.budget = 5, lambda: memory
    view = View("shop", FeatureSettings(source="s", on=["g"], **KINDS[kind]), time="" if kind == "lookup" else "t")
    rows = ROWS[:ENTITIES] if kind == "lookup" else ROWS
    schema = {"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64}
    source = pl.LazyFrame([(g, at(t), at(k), v) for g, t, k, v in rows], schema=schema, orient="row")
    body, store = define(view, source), LmdbStore(f"lmdb://{folder}", "test")
    if kind != "stream":
        materialising.materialise(store, view, body, source, at(1_000), digest="the same")
        return
    writer, ordered = FeatureWriter(store, view, body), source.sort("k", maintain_order=True).collect()
    for start in range(int(writer.position or b"0"), len(ordered), 30):
        writer.push(ordered[start : start + 30], position=b"%d" % (start + 30))


def in_child(act: Callable[[], None], kill_at: int = 0) -> bool:
    """Whether the act was finished; `False`: it was killed at that boundary."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            faults._KILL, faults._ACTIVE, faults._passed = kill_at, kill_at > 0, 0
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def held(folder: Path) -> dict[bytes, bytes]:
    return dict(LmdbStore(f"lmdb://{folder}", "test").scan(b""))


def main() -> None:
    root = Path(sys.argv[1])
    found = {}
    for kind, memory in [*((kind, budget()) for kind in KINDS), ("history", 1)]:
        name = f"{kind} {'parted' if memory == 1 else 'held'}"
        in_child(lambda kind=kind, memory=memory, name=name: bring(root / name, kind, memory))
        expected = held(root / name)
        different = []
        for boundary in itertools.count(1, 3 if memory == 1 else 1):
            place = root / f"{name} {boundary}"
            finished = in_child(lambda: bring(place, kind, memory), boundary)  # noqa: B023 - called at once
            if not finished:
                in_child(lambda: bring(place, kind, memory))  # noqa: B023 - called at once
            if held(place) != expected:
                different.append(boundary)
            if finished:
                break
        found[name] = {"entities": len(expected), "killed": boundary, "different": different}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
