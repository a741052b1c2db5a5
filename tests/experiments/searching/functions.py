"""Objectives and spaces that other processes can import, and a program that searches until it is killed."""

import os
import sys
import time
from pathlib import Path

from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import open_workspace
from heptad.experiments import ActiveTrial, Choice, Experiments, Float, SearchSettings, Suggest

SPACE = {"x": Float(-1, 1), "kind": Choice(("a", "b"))}


def square(trial: ActiveTrial) -> float:
    return float(trial["x"]) ** 2 + (trial["kind"] == "a")


def slow_square(trial: ActiveTrial) -> float:
    time.sleep(0.02)
    return square(trial)


def two(trial: ActiveTrial) -> tuple[float, float]:
    x = float(trial["x"])
    return x**2, (x - 0.5) ** 2


def stepwise(trial: ActiveTrial) -> float:
    for step in range(9):
        trial.report(float(trial["x"]) + 1 / (step + 1), step)
    return float(trial["x"])


def dreadful(trial: ActiveTrial) -> float | str:
    """Misbehaves in every way that there is, by the number of the trial."""
    print("I am trial", trial.number)  # noqa: T201 - what it prints is what is tested
    match trial.number:
        case 1:
            raise ValueError("no luck")
        case 2:
            time.sleep(1000)
        case 3:
            kept = []
            while True:
                kept.append(bytearray(10_000_000))
                time.sleep(0.001)
        case 4:
            return float("nan")
        case 5:
            os._exit(3)
        case 6:
            return "much"
        case 7:
            raise SystemExit(2)
    return square(trial)


def talkative(trial: ActiveTrial) -> float:
    """Tells its password to everybody."""
    print("api_key=sesame")  # noqa: T201 - what it prints is what is tested
    raise ValueError("no answer of postgresql://ada:sesame@host/db")


def once_killed(trial: ActiveTrial) -> float:
    """Its process is killed from outside in the first attempt at trial 1."""
    mark = Path(os.environ["HEPTAD_TEST_MARK"])
    if trial.number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return square(trial)


def conditional(suggest: Suggest) -> None:
    if suggest.choice("kind", ("a", "b")) == "a":
        suggest.float("x", -1, 1)
    else:
        suggest.float("x", 0.5, 1)
        suggest.int("n", 1, 3)


def experiments_at(folder: str, url: str) -> Experiments:
    workspace = open_workspace(Path(folder), "test", StoreSettings(url=url))
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


def main() -> None:
    """A program that searches: its arguments are a folder, the URL of a store, trials and processes."""
    folder, url, trials, processes = sys.argv[1:]
    experiments_at(folder, url).search(
        SPACE, slow_square, sampler="random", trials=int(trials), processes=int(processes), isolated=True
    )
