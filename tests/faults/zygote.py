"""Runs the real program in forked processes that are killed at a chosen boundary; prints what came of it as JSON.

Forking after the imports makes a process cost milliseconds instead of seconds, so that every boundary can have its own.
Usage: python -m tests.faults.zygote run|loop FOLDER
"""

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

# Everything that the program imports late is imported here once, before anything forks.
import heptad.cli.app  # noqa: F401 - imported for the children
from heptad.core import faults
from heptad.core.events import verify
from heptad.data import Data  # noqa: F401
from heptad.lifecycle import Lifecycle, Rehearsal  # noqa: F401
from heptad.project import open_project, open_rehearsal
from heptad.training import Training  # noqa: F401
from tests.lifecycle.rides import START, make_rides

WEEKS = 2
MOST_PROCESSES = 400


def run(folder: Path) -> None:
    open_project(folder).run()


def loop(folder: Path) -> None:
    open_rehearsal(folder, "", START).rehearse(START, START + timedelta(weeks=WEEKS), singles=4)


def in_child(act: Callable[[Path], None], folder: Path, kill_at: int) -> bool:
    """Whether the act was finished; `False`: it was killed at that boundary. Any other end is an error."""
    child = os.fork()
    if child == 0:
        faults._KILL, faults._ACTIVE, faults._passed = kill_at, kill_at > 0, 0
        act(folder)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"ended by signal {os.WTERMSIG(status)}"
        return False
    assert os.WEXITSTATUS(status) == 0, f"the act failed when it was to be killed at boundary {kill_at}"
    return True


def outcome(folder: Path) -> dict[str, object]:
    """What a project came to, in values that do not depend on when it was done."""
    project = open_project(folder)
    store = project.workspace.store
    kinds: dict[str, int] = {}
    for event in store.follow(0, limit=100_000):
        kinds[event.kind] = kinds.get(event.kind, 0) + 1
    candidates = sorted(one.body.model_digest for one in project.training.candidates())
    for digest in project.workspace.blobs.digests():
        project.workspace.blobs.get(digest)
    found: dict[str, object] = {
        "events": kinds,
        "verified": verify(store) == sum(kinds.values()),
        "candidates": candidates,
        "versions": [[one.body.label, sorted(one.aliases)] for one in project.release.list()],
        "rows": [one.body.digest for one in project.data.log()],
    }
    rehearsals = [event.subject for event in store.follow(0, ["lifecycle.rehearsal_started"], 10)]
    if rehearsals:
        from heptad.core import graph

        played = graph.load(project.workspace, rehearsals[0], Rehearsal)
        found["result"] = project.lifecycle.summary(played).result()
        ids = project.serving.predictions().collect()["id"]
        found["predictions"] = [len(ids), ids.n_unique()]
    return found


def in_order(work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """The answer of `work` from a child of its own, so that this process stays free of threads."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(work(), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    answer: dict[str, object] = json.loads(text)
    return answer


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    act = {"run": run, "loop": loop}[what]
    template = make_rides(folder / "template", days={"run": 56, "loop": 71}[what], a_day=24)
    undisturbed = Path(shutil.copytree(template, folder / "undisturbed"))
    in_child(act, undisturbed, 0)
    expected = in_order(lambda: outcome(undisturbed))
    killed = 0
    different: list[object] = []
    if what == "run":
        for boundary in itertools.count(1):
            place = Path(shutil.copytree(template, folder / "killed"))
            finished = in_child(act, place, boundary)
            if not finished:
                killed += 1
                in_child(act, place, 0)
            found = in_order(lambda: outcome(place))  # noqa: B023 - used at once
            if found != expected:
                different.append([boundary, found])
            shutil.rmtree(place)
            if finished:
                break
    else:
        place = Path(shutil.copytree(template, folder / "killed"))
        for boundary in itertools.count(1, 2):
            if in_child(act, place, boundary):
                break
            killed += 1
        found = in_order(lambda: outcome(place))
        if found != expected:
            different.append(found)
    sys.stdout.write(json.dumps({"killed": killed, "different": different}) + "\n")


if __name__ == "__main__":
    main()
