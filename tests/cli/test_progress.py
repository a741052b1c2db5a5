"""Signs of life: a bar or a count on a terminal, nothing anywhere else."""

import io
import time

import pytest
from rich.console import Console

from heptad.cli import progress as module
from heptad.cli.progress import WorkBars, bars, counting, progress, worded
from heptad.data import Estimate, Progress, note_done
from heptad.data.progress import under_way


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal that remembers what was drawn."""
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=80)
    monkeypatch.setattr("rich.console.Console", lambda **_: console)
    return drawn


def test_a_bar_says_what_is_being_done(terminal):
    """The title, and the part that was told last."""
    with progress("export", shown=True) as tell:
        tell("records", 0.5)
    assert "export: records" in terminal.getvalue()


def test_a_count_adds_up(terminal):
    """Each kind of thing is counted for itself."""
    with counting("backup", shown=True) as count:
        count("record", 1000)
        count("record", 500)
        count("files", 2)
    assert "backup" in terminal.getvalue()


@pytest.mark.parametrize("shown", [True, False])
def test_nothing_is_drawn_without_a_terminal(shown, capsys):
    """Neither into a pipe nor where a program asked."""
    with progress("export", shown=shown) as tell:
        tell("records", 0.5)
    with counting("backup", shown=shown) as count:
        count("record", 1)
    assert capsys.readouterr() == ("", "")


def test_work_that_takes_long_has_a_bar_with_its_share(terminal, monkeypatch):
    """What takes no time has none."""
    monkeypatch.setattr(module, "SHORT", 0.0)
    with bars("Collecting", shown=True), under_way("flights", lambda: Estimate(200, "rows")):
        note_done(100, "rows")
        time.sleep(0.3)
    assert "flights" in terminal.getvalue()
    assert "50 %, 100 rows" in terminal.getvalue()


def test_work_that_comes_again_begins_again(monkeypatch):
    """How long it will take still goes by its own beginning."""
    monkeypatch.setattr(module, "SHORT", -1.0)
    works = WorkBars()
    works.hear(Progress(work="w", done=5, share=1.0, ended=True))
    works.hear(Progress(work="w", done=1, share=0.5))
    assert [task.completed for task in works.drawn.tasks] == [1.0, 0.5]
    works.clear()
    assert not works.drawn.tasks


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (Progress(work="w"), ""),
        (Progress(work="w", done=1200), "1,200 rows"),
        (Progress(work="w", done=1200, share=0.25), "25 %, 1,200 rows, 30 s left"),
        (Progress(work="w", done=1_234_000, unit="bytes", share=0.1), "10 %, 1.23 MB, 1:30 min left"),
        (Progress(work="w", done=12, unit="bytes", share=1.0, ended=True), "100 %, 12 bytes"),
    ],
)
def test_what_is_not_known_is_left_out(heard, told):
    """Ten seconds after the beginning."""
    assert worded(heard, 10.0) == told
