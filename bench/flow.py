"""A flow of a hundred trivial steps: cold against plain calls, and with everything cached."""

import tempfile
import time
import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.figures import Figure
from heptad.core.flow import Flow
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace

STEPS = 100
COLD_MS_A_STEP, CACHED_MS = 1.0, 50.0
REPEATS = 7


def measure() -> list[Figure]:
    """Both figures, each the best of several runs: the machine's other work only ever adds."""
    functions = _chain()
    with tempfile.TemporaryDirectory() as folder:
        cold: list[float] = []
        plain: list[float] = []
        cached: list[float] = []
        for number in range(REPEATS):
            workspace = open_workspace(Path(folder) / str(number), "bench", StoreSettings())
            plain.append(_seconds(lambda: _called(functions)))
            cold.append(_seconds(lambda: _run(functions, workspace)))  # noqa: B023 - called at once
            cached.append(_seconds(lambda: _run(functions, workspace)))  # noqa: B023 - called at once
    a_step = 1000 * (min(cold) - min(plain)) / STEPS
    all_cached = 1000 * min(cached)
    return [
        _figure("flow, 100 trivial steps, cold, a step over plain calls", a_step, COLD_MS_A_STEP),
        _figure("flow, 100 trivial steps, all cached", all_cached, CACHED_MS),
    ]


def _figure(name: str, value: float, limit: float) -> Figure:
    return Figure(
        name=name,
        value=value,
        unit="ms",
        limit=limit,
        ratio=value / limit,
        floor=f"under {limit:g} ms",
        holds=value < limit,
    )


def _chain() -> list[Callable[..., Any]]:
    """`step_0(start)`, `step_1(step_0)`, and so on: each adds one to what the one before answered."""
    names = ["start", *(f"step_{number}" for number in range(STEPS))]
    source = "".join(f"def {name}({before}):\n    return {before} + 1\n" for before, name in pairwise(names))
    module = types.ModuleType("bench_chain")
    exec(compile(source, "bench_chain", "exec"), vars(module))
    return [vars(module)[name] for name in names[1:]]


def _called(functions: list[Callable[..., Any]]) -> int:
    value = 0
    for function in functions:
        value = function(value)
    return value


def _run(functions: list[Callable[..., Any]], workspace: Workspace) -> None:
    results = Flow("bench", functions).run(workspace, {"start": 0})
    assert results[f"step_{STEPS - 1}"] == STEPS


def _seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
