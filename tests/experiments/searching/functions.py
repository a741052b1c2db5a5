"""Objectives and spaces that other processes can import, and a program that searches until it is killed."""

import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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


def restless(trial: ActiveTrial) -> float:
    """Never ends, and reports and spends all the time, so that there is always something to hear."""
    step = 0
    while True:
        trial.report(1.0, step)
        trial.spend(1.0)
        step += 1


def parental(trial: ActiveTrial) -> float:
    """Starts a process that lives long and is named in the file of the mark, and then hangs, or dies."""
    child = subprocess.Popen(["sleep", "600"])
    with Path(os.environ["HEPTAD_TEST_MARK"]).open("a") as file:
        file.write(f"{child.pid}\n")
    if trial.number == 0:
        time.sleep(600)
    if trial.number == 1 and os.fork() == 0:
        # It has both ends of everything that its parent had.
        time.sleep(600)
    os._exit(3)


def with_many(trial: ActiveTrial) -> float:
    """Its children have more memory than it may, all together."""
    code = "import time; kept = bytearray(60_000_000); time.sleep(600)"
    for child in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]:
        child.wait()
    return square(trial)


def pooled(trial: ActiveTrial) -> float:
    """Asks processes of its own, and takes its output away."""
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        found = sum(pool.map(abs, [1, -2]))
    with get_context("fork").Pool(2) as other:
        found += sum(other.map(abs, [3]))
    print("trial", trial.number)  # noqa: T201 - what it prints is what is tested
    sys.stdout.close()
    sys.stderr = None  # type: ignore[assignment]
    return float(found)


def forking(trial: ActiveTrial) -> float:
    """The process that it forks comes back with another value, and first."""
    if child := os.fork():
        os.waitpid(child, 0)
        return square(trial)
    return -99.0


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
