"""Signs of life: a bar or a count on a terminal, nothing anywhere else."""

import io

import pytest
from rich.console import Console

from heptad.cli.progress import counting, progress


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
