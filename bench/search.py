"""Search: what a trial that is kept in the store costs, over the same sampler of Optuna in memory."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import optuna

from bench.figures import Figure
from heptad.experiments import ActiveTrial, Choice, Experiments, Float, Space, StudyPlan, run_study
from heptad.project import open_experiments

TRIALS, ROUNDS = 200, 5
LIMIT = 2.0
SPACE: Space = {"x": Float(-1, 1), "rate": Float(1e-3, 1, log=True), "kind": Choice(("a", "b"))}


def measure() -> list[Figure]:
    """Both in turns, so that both meet the same machine."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        experiments = open_experiments(Path(folder))
        _ours(experiments, "random", "first")
        return [_overhead(experiments, sampler) for sampler in ("random", "tpe")]


def _overhead(experiments: Experiments, sampler: Literal["random", "tpe"]) -> Figure:
    pairs = [(_ours(experiments, sampler, f"{sampler} {n}"), _bare(sampler)) for n in range(ROUNDS)]
    value = statistics.median(ours - bare for ours, bare in pairs)
    return Figure(
        name=f"search, {sampler}: a trial kept in the store, over Optuna in memory",
        value=value,
        unit="ms",
        limit=LIMIT,
        ratio=value / LIMIT,
        floor=f"{LIMIT:g} ms more",
        holds=value <= LIMIT,
    )


def _ours(experiments: Experiments, sampler: Literal["random", "tpe"], name: str) -> float:
    """Milliseconds a trial."""
    rules = type(experiments.settings)(sampler=sampler, trials=TRIALS)
    plan = StudyPlan(name=name, objectives={"value": "minimize"}, rules=rules, seed=7, key=(name,))
    workspace, environment = experiments.workspace, experiments.environment
    return 1000 * _timed(lambda: run_study(workspace, environment, SPACE, _square, plan)) / TRIALS


def _bare(sampler: Literal["random", "tpe"]) -> float:
    # The same sampler with the same choices, which are its defaults.
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=7) if sampler == "tpe" else optuna.samplers.RandomSampler(seed=7)
    )

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("rate", 1e-3, 1, log=True)
        trial.suggest_categorical("kind", ["a", "b"])
        return trial.suggest_float("x", -1, 1) ** 2

    return 1000 * _timed(lambda: study.optimize(objective, n_trials=TRIALS)) / TRIALS


def _square(trial: ActiveTrial) -> float:
    return float(trial["x"]) ** 2


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
