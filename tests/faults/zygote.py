"""Runs the real program in forked processes that are killed at a chosen boundary; prints what came of it as JSON.

Forking after the imports makes a process cost milliseconds instead of seconds, so that every boundary can have its own.
The table of places writes itself; see `tests/faults/places.py`.
All that a killed process leaves behind are its files, so one boundary speaks for those behind it with the same files.
Usage: python -m tests.faults.zygote run|turns|player|erasure FOLDER
"""

import contextlib
import gc
import importlib.util
import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl
from blake3 import blake3

from heptad.core import faults
from heptad.core.events import verify
from heptad.data import STAMP, OnlineSettings, Subjects
from heptad.data.features.online import open_online
from heptad.experiments.environment import installed_packages
from heptad.lifecycle import Watcher
from heptad.lifecycle.loop import Loop
from heptad.project import Project, open_project, open_rehearsal
from tests.faults.places import chosen, place_of
from tests.lifecycle.rides import START, make_rides, play

TURNS = (2, 4)
"""Weeks of the small world whose turns are killed: a challenger is refused in one, and promoted in the other.

Both then begin the next plan: they collect, train, decide, register and deploy.
"""

Act = Callable[[Path], object]


def run(folder: Path) -> None:
    """Steps 1 to 4."""
    open_project(folder).run()


def turn(folder: Path) -> None:
    """One turn of the loop."""
    open_rehearsal(folder, "", START).lifecycle.turn()


def player(folder: Path, weeks: int = 2) -> None:
    """A rehearsal with its server, its requests and its labels."""
    play(open_rehearsal(folder, "", START), timedelta(weeks=weeks), singles=4)


ERASED = "r60-3"
"""A ride that was learnt from, judged on, predicted, and labelled."""


def erase(folder: Path) -> None:
    """An erasure, or the rest of the one that was cut off."""
    erasures = open_rehearsal(folder, "", START).lifecycle.erasures
    if not erasures.resume() and not erasures.recent():
        erasures.erase(Subjects(columns=["ride"], keys=[[ERASED]]), "they asked for it")


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` answers in a process of its own; `None` where it was killed. Any other end is an error."""
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
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    assert status == 0, f"a child ended with status {status}"
    return json.loads(text)


def places(act: Act, folder: Path) -> dict[int, str]:
    """The places that an undisturbed act passes, by their numbers; what it imports is imported here from then on.

    Those are left out at which every file of the folder is still, byte for byte, what it was at the place before: a
    process that is killed leaves the same behind at both.
    """

    def work() -> tuple[list[tuple[str, str]], list[str]]:
        passed: list[tuple[str, str]] = []
        guard = threading.Lock()
        with _files_of(folder) as state:

            def note(name: str) -> None:
                place = place_of(name, sys._getframe(1))
                with guard:
                    passed.append((place, state()))

            faults._ACTIVE, faults._pass = True, note
            act(folder)
            faults._ACTIVE = False
        outcome(open_project(folder))
        return passed, list(sys.modules)

    passed, modules = in_child(work)
    for module in modules:
        if module not in sys.modules and importlib.util.find_spec(module.partition(".")[0]):
            importlib.import_module(module)
    # The same for every child, which would read them again; and what is here already, no child looks through.
    installed_packages()
    gc.freeze()
    before = ["", *(state for _, state in passed)]
    return {number: place for number, (place, state) in enumerate(passed, 1) if state != before[number - 1]}


@contextlib.contextmanager
def _files_of(folder: Path) -> Iterator[Callable[[], str]]:
    """Digests the files of a folder, in a process of its own: closing a database's file lets go of this one's locks."""
    context = multiprocessing.get_context("fork")
    asked, asking = context.Pipe()
    reader = context.Process(target=_digest_files, args=(folder, asking), daemon=True)
    reader.start()

    def state() -> str:
        asked.send(None)
        return str(asked.recv())

    try:
        yield state
    finally:
        reader.kill()
        reader.join()


def _digest_files(folder: Path, asking: Connection) -> None:
    while True:
        asking.recv()
        state = blake3()
        # The index of a write-ahead log is made anew by whoever opens the database next.
        for path in sorted(path for path in folder.rglob("*") if not path.name.endswith("-shm")):
            state.update(f"{path}\n".encode())
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                content = path.read_bytes()
                state.update(f"{len(content)}\n".encode() + content)
        asking.send(state.hexdigest())


def is_killed(act: Act, folder: Path, number: int) -> bool:
    """Kill the act at its boundary of that number, counted from 1; `False` where it was finished before."""

    def work() -> bool:
        faults._KILL, faults._ACTIVE, faults._passed = number, True, 0
        act(folder)
        return True

    return in_child(work) is None


def killed_everywhere(act: Act, prepared: Path, numbers: Iterable[int]) -> dict[str, Any]:
    """Kill an act at each of these boundaries in a fresh copy of a prepared project, run it again, and compare.

    `killed` says how many kills there were, `different` what came to something else than undisturbed, `plans` how
    plans stand after it.
    """
    aside = prepared.parent / "copy"

    def finished(number: int) -> tuple[bool, dict[str, Any]]:
        """Whether it was killed there (0: nowhere), and what a copy came to; whoever finished it opens it anew."""
        shutil.copytree(prepared, aside)
        was_killed = bool(number) and is_killed(act, aside, number)
        found: dict[str, Any] = in_child(lambda: (act(aside), outcome(open_project(aside)))[1])
        shutil.rmtree(aside)
        return was_killed, found

    _, expected = finished(0)
    killed, different = 0, []
    for number in numbers:
        was_killed, found = finished(number)
        killed += was_killed
        if found != expected:
            different.append({"boundary": number, "found": found, "expected": expected})
    return {"killed": killed, "different": different, "plans": expected["plans"]}


def outcome(project: Project) -> dict[str, Any]:
    """What a project came to, in values that do not depend on when it was done."""
    store = project.workspace.store
    kinds: dict[str, int] = {}
    for event in store.follow(0, limit=100_000):
        kinds[event.kind] = kinds.get(event.kind, 0) + 1
    for digest in project.workspace.blobs.digests():
        project.workspace.blobs.get(digest)
    found: dict[str, Any] = {
        "events": kinds,
        "verified": verify(store) == sum(kinds.values()),
        "candidates": sorted(one.body.model_digest for one in project.training.candidates()),
        "versions": [[one.body.label, sorted(one.aliases)] for one in project.release.list()],
        "rows": [one.body.digest for one in project.data.log()],
        "plans": [dict(sorted(one.attributes.items())) for one in project.lifecycle.plans()],
    }
    found["erasures"] = [
        [one.body.found, one.attributes["stage"], ERASED.encode() in project.lifecycle.erasures.certificate(one.id)]
        for one in project.lifecycle.erasures.recent()
    ]
    if found["erasures"]:
        found["left"] = [project.data.digest(one) for one in project.data.log()]
        found["scores"] = [one.body.scores for one in project.training.candidates()]
        found["traces"] = traces(project.workspace.folder)
    current = project.serving.current()
    if current is not None:
        body, ids = current.body, project.serving.predictions().collect()["id"]
        found["routes"] = [body.generation, *([route.label, route.role] for route in body.routes)]
        found["reports"] = [
            [one.id, one.body.rows, *(alert.id for alert in one.body.alerts)] for one in _reports(project)
        ]
        found["predictions"] = [len(ids), ids.n_unique()]
        found["labels"] = project.serving.labels().collect().height
    return found


def traces(folder: Path) -> list[str]:
    """Files in which the erased ride is named: as it is, or in what Parquet and Arrow have packed."""
    named = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[:4] == b"PAR1" and "_delta_log" not in path.parts:
            data += pl.read_parquet(path, glob=False).write_ndjson().encode()
        if data[:5] == b"ARROW":
            data += pl.read_ipc(path).write_ndjson().encode()
        if f'"{ERASED}"'.encode() in data:
            named.append(path.relative_to(folder).as_posix())
    return named


def _reports(project: Project) -> list[Any]:
    return sorted(project.monitoring.list(), key=lambda one: one.body.start)


def kill_runs(folder: Path) -> dict[str, Any]:
    """`heptad run`, killed at every place."""
    prepared = make_rides(folder / "prepared", days=56, a_day=24)
    counted = Path(shutil.copytree(prepared, folder / "counted"))
    return killed_everywhere(run, prepared, chosen(places(run, counted)))


def kill_turns(folder: Path) -> dict[str, Any]:
    """The turns of `TURNS`, from the state in which an undisturbed loop came to each."""
    project = make_rides(folder / "whole", days=86, a_day=12)
    settings = project / "heptad.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"roc_auc >= 0.5"', ""), encoding="utf-8")
    turned = Loop.turn

    def turn_with_copy(loop: Loop, watch: Watcher) -> None:
        week = (loop._workspace.clock.now() - START) // timedelta(weeks=1)
        if week in TURNS:
            shutil.copytree(project, folder / f"turn-{week}" / "prepared")
        turned(loop, watch)

    def play() -> None:
        Loop.turn = turn_with_copy  # type: ignore[method-assign]  # the child's own
        player(project, max(TURNS))

    in_child(play)
    answers, seen = [], set[str]()
    for week in TURNS:
        prepared = folder / f"turn-{week}" / "prepared"
        passed = places(turn, Path(shutil.copytree(prepared, prepared.parent / "counted")))
        # Every place of the first, and of the others those at which the first was not killed.
        new = {number: place for number, place in passed.items() if place not in seen}
        answers.append(killed_everywhere(turn, prepared, chosen(new)))
        seen.update(passed.values())
    return together(answers)


def together(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Several answers as one."""
    return {
        "killed": sum(one["killed"] for one in answers),
        "different": [each for one in answers for each in one["different"]],
        "plans": [plan.get("outcome", plan["stage"]) for one in answers for plan in one["plans"]],
    }


def kill_players(folder: Path) -> dict[str, Any]:
    """A rehearsal without plans, killed at each place outside of a turn."""
    prepared = make_rides(folder / "prepared", days=71, a_day=12)
    settings = prepared / "heptad.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("every 7d", "every 900d"), encoding="utf-8")
    in_child(lambda: open_rehearsal(prepared, "", START).run() and None)
    passed = places(player, Path(shutil.copytree(prepared, folder / "counted")))
    between = {number: place for number, place in passed.items() if " < loop:" not in place}
    return killed_everywhere(player, prepared, chosen(between))


def bring_online(folder: Path) -> None:
    """Leave in the online store's file what was replaced there: the erased ride's name."""
    project = open_project(folder)
    store = open_online(OnlineSettings(), project.workspace.folder, project.workspace.name)
    for value in (f'"{ERASED}"', "nobody's"):
        store.put([(b"row", bytes(STAMP) + value.encode())])


def kill_erasures(folder: Path) -> dict[str, Any]:
    """An erasure, killed at every place, from a project with all that is written about a ride."""
    prepared = make_rides(folder / "prepared", days=71, a_day=12)
    in_child(lambda: player(prepared))
    in_child(lambda: bring_online(prepared))
    passed = places(erase, Path(shutil.copytree(prepared, folder / "counted")))
    erased = in_child(lambda: open_rehearsal(folder / "counted", "", START).lifecycle.erasures.recent()[0].body.found)
    nowhere = {"quarantine", "kept of sources", "online features"}
    assert all(erased[place] for place in erased if place not in nowhere), erased
    return killed_everywhere(erase, prepared, chosen(passed))


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    kill = {"run": kill_runs, "turns": kill_turns, "player": kill_players, "erasure": kill_erasures}[what]
    sys.stdout.write(json.dumps(kill(folder)) + "\n")


if __name__ == "__main__":
    main()
