"""`kill -9` at the boundaries between durable acts: what is run again comes to what an undisturbed run comes to.

At every place that leads to a boundary at which the files are not what they were at the one before; see
`tests/faults/zygote.py`.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def killed(what: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.zygote", what, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_a_run_killed_at_any_boundary_is_completed_by_the_next(tmp_path: Path) -> None:
    """`heptad run` is killed once at every place where it passes a boundary, each time in a fresh project.

    Run again, it ends with the same records, events, models and rows as if nothing had happened: nothing that was
    acknowledged is missing, nothing is there twice, every artifact is whole, and the chain of events holds.
    """
    answer = killed("run", tmp_path)
    assert answer["killed"] > 20
    assert answer["different"] == []


@pytest.mark.slow
def test_a_turn_killed_at_any_boundary_is_completed_by_the_next(tmp_path: Path) -> None:
    """A turn of the loop is killed once at every place where it passes a boundary, each time in a fresh copy.

    One turn reports, judges and refuses a challenger, deploys, and begins the next plan: collects, trains, decides,
    registers, puts the new challenger on trial and deploys it. Of one that promotes instead, those places are
    taken that the first did not have. After the next turn plans, verdicts, reports, routes, models, rows, events and
    the log are those of an undisturbed one.
    """
    answer = killed("turns", tmp_path)
    assert answer["killed"] > 25
    assert answer["different"] == []
    assert {"refused", "promoted", "trial"} <= set(answer["plans"])


@pytest.mark.slow
def test_an_erasure_killed_at_any_boundary_is_finished_by_the_next(tmp_path: Path) -> None:
    """An erasure is killed once at every place where it passes a boundary, each time in a copy of a project in use.

    Finished by whoever comes next, the same rows are gone and no others, the certificate says the same, and no file
    names the one who was erased any more, unpacked or packed.
    """
    answer = killed("erasure", tmp_path)
    assert answer["killed"] > 30
    assert answer["different"] == []


@pytest.mark.slow
def test_a_rehearsal_killed_anywhere_comes_to_the_same(tmp_path: Path) -> None:
    """A rehearsal of two weeks, with its server, is killed where turns are not: between them.

    Once at every place where it passes a boundary, each time in a fresh copy. Afterwards every prediction is in the
    log exactly once, every label is there, and reports and events are the same.
    """
    answer = killed("player", tmp_path)
    assert answer["killed"] > 8
    assert answer["different"] == []
