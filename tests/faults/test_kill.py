"""`kill -9` at the boundaries between durable acts: what is run again comes to what an undisturbed run comes to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def played(what: str, folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.zygote", what, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_a_run_killed_at_any_boundary_is_completed_by_the_next(tmp_path: Path) -> None:
    """`heptad run` is killed once at every boundary it passes, each time in a fresh project.

    Run again, it ends with the same records, events, models and rows as if nothing had happened: nothing that was
    acknowledged is missing, nothing is there twice, every artifact is whole, and the chain of events holds.
    """
    answer = played("run", tmp_path)
    assert int(str(answer["killed"])) > 20
    assert answer["different"] == []


@pytest.mark.slow
def test_a_loop_killed_again_and_again_comes_to_the_same(tmp_path: Path) -> None:
    """A rehearsal with its server, log, reports and plans is killed ever later, until it gets through.

    Its result equals that of an undisturbed one, every prediction is in the log exactly once, and the chain holds.
    """
    answer = played("loop", tmp_path)
    assert int(str(answer["killed"])) > 8
    assert answer["different"] == []
