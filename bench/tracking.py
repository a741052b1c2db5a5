"""Logging from a training: the cost of a call, points to disk, and how soon everything is in the store."""

import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from heptad.core import graph
from heptad.core.records import Attribute, Change, NewEvent
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.store import Segment
from heptad.core.workspace import Workspace, open_workspace
from heptad.experiments import Experiments, Run, SearchSettings

CALLS, WIDTH = 100_000, 10
CALL_US, POINTS, SHIPPED = 10.0, 200_000.0, 100_000.0
ROUNDS = 50
TIMES = 2.0


def measure() -> list[Figure]:
    """Each with a shipper at work beside it, as in a training."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder), "bench", StoreSettings())
        experiments = Experiments(workspace, ProjectSettings(name="bench"), SearchSettings())
        return [_call(experiments), *_points(experiments), _trial(experiments)]


def _call(experiments: Experiments) -> Figure:
    taken = []
    with experiments.start("one by one") as run:
        for step in range(20_000):
            began = time.perf_counter()
            run.log(step, loss=0.5)
            taken.append(time.perf_counter() - began)
    value = 1e6 * sorted(taken)[len(taken) // 2]
    return _figure("tracking: median of a call of run.log", value, "us", CALL_US, f"{CALL_US:.0f} us", value <= CALL_US)


def _points(experiments: Experiments) -> list[Figure]:
    metrics = {f"metric {number}": 0.1 * number for number in range(WIDTH)}
    run = experiments.start("many")
    began = time.perf_counter()
    for step in range(CALLS):
        run.log(metrics, step=step)
    run.journal.sync()
    rate = CALLS * WIDTH / (time.perf_counter() - began)
    run.finish()
    shipped = CALLS * WIDTH / (time.perf_counter() - began)
    assert len(experiments.metric_series(run.id, "metric 3").values) == CALLS
    floor = f"at least {POINTS:,.0f} a second"
    name_shipped, floor_shipped = "tracking: the same, until all is in the store", f"at least {SHIPPED:,.0f} a second"
    name = f"tracking: points to disk, {WIDTH} a call, synced"
    return [
        _figure(name, rate, "1/s", POINTS, floor, rate >= POINTS),
        _figure(name_shipped, shipped, "1/s", SHIPPED, floor_shipped, shipped >= SHIPPED),
    ]


def _trial(experiments: Experiments) -> Figure:
    """Beside the three transactions that the store needs for it; both in turns."""
    taken: list[float] = []
    limits: list[float] = []
    for number in range(ROUNDS):
        limits.append(_bare(experiments.workspace, number))
        began = time.perf_counter()
        run = experiments.start("trial", key=("bench", number))
        for step in range(5):
            run.log(step, loss=0.5)
        run.finish(must_arrive=True)
        taken.append(time.perf_counter() - began)
    value, limit = (1e3 * sorted(one)[ROUNDS // 2] for one in (taken, limits))
    name = "tracking: a whole short run, begun, logged and finished"
    floor = f"{TIMES:.0f} times the store's own transactions"
    return _figure(name, value, "ms", limit, floor, value <= TIMES * limit)


def _bare(workspace: Workspace, number: int) -> float:
    """Seconds of writing a run, its points and its end, with nothing around it."""
    began = time.perf_counter()
    body = Run(name="bare", experiment="bench")
    run = graph.save(workspace, body, scope="bench", key=("bare", number)).id
    points = [0.5] * 5
    workspace.store.append([Segment(record=run, key="loss", first=0, steps=range(5), values=points, times=points)])
    end = [Attribute(run, "status", "finished"), Attribute(run, "metrics.loss", 0.5)]
    workspace.store.write(Change(attributes=end, events=[NewEvent(kind="experiments.run_finished", subject=run)]))
    return time.perf_counter() - began


def _figure(name: str, value: float, unit: str, limit: float, floor: str, holds: bool) -> Figure:
    return Figure(name=name, value=value, unit=unit, limit=limit, ratio=value / limit, floor=floor, holds=holds)
