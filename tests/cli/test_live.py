"""Watching: a live view on a terminal, a line each elsewhere, nothing for programs."""

import io

import pytest
from rich.console import Console

from heptad.cli import live
from heptad.cli import progress as bars
from heptad.cli.live import LiveView, watching
from heptad.data import Estimate, note_done, watching_work
from heptad.data.progress import under_way
from heptad.lifecycle import Happening


def drawn(view: LiveView) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(view)
    return console.file.getvalue()


def test_the_view_shows_what_each_step_just_did():
    """Seven steps, those that did nothing yet are waiting; weeks and plans stay as lines."""
    view = LiveView("rides", 3)
    assert drawn(view).count("waiting") == 7
    view.tell(Happening(step="data", sentence="version 1: 100 rows"))
    view.tell(Happening(step="monitoring", sentence="week of 05 Jan: 700 predictions"))
    shown = drawn(view)
    assert shown.count("waiting") == 5
    assert "version 1: 100 rows" in shown
    assert shown.count("week of 05 Jan") == 2


def test_without_a_terminal_every_happening_is_a_line(capsys):
    """On standard error, so that the result alone is on standard output."""
    with watching("rides", 3, shown=True) as watch:
        watch(Happening(step="data", sentence="version 1"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.split(maxsplit=1)[1].split() == ["data", "version", "1"]


def test_programs_see_nothing(capsys):
    """They read the result."""
    with watching("rides", 3, shown=False) as watch:
        watch(Happening(step="data", sentence="version 1"))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_left_clean(monkeypatch):
    """The view is transient: what follows begins where it began."""
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True)
    monkeypatch.setattr(live, "Console", lambda **_: terminal)
    with watching("rides", 3, shown=True) as watch:
        watch(Happening(step="data", sentence="version 1"))
    assert "version 1" in terminal.file.getvalue()


def test_long_work_has_a_bar_until_it_is_told_of(monkeypatch):
    """Collecting says how far it is, as it does for `heptad data collect`."""
    monkeypatch.setattr(bars, "SHORT", -1.0)
    view = LiveView("rides", 3)
    with watching_work(view.works.hear), under_way("trips", lambda: Estimate(200, "rows")):
        note_done(100, "rows")
        assert "50 %, 100 rows" in drawn(view)
    assert "100 %" in drawn(view)
    view.tell(Happening(step="data", sentence="version 1: 100 rows"))
    assert "trips" not in drawn(view)


def test_a_terminal_watches_work_and_a_pipe_does_not(monkeypatch):
    """An estimate costs a request, so that nobody is asked for one who is not looked at."""
    asked = []
    with watching("rides", 3, shown=True), under_way("trips", lambda: asked.append(1)):
        pass
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True)
    monkeypatch.setattr(live, "Console", lambda **_: terminal)
    with watching("rides", 3, shown=True), under_way("trips", lambda: asked.append(2)):
        pass
    assert asked == [2]


@pytest.mark.parametrize("step", live.STEPS)
def test_every_step_has_its_place(step):
    """A happening of any step can be shown."""
    view = LiveView("rides", 1)
    view.tell(Happening(step=step, sentence="something"))
    assert "something" in drawn(view)


def test_long_sentences_leave_room_for_the_names_of_the_steps() -> None:
    """On 80 columns every step is named, however much each has to say."""
    view = LiveView("rides", 4)
    for step in live.STEPS:
        view.tell(Happening(step=step, sentence="word " * 60))
    assert [step for step in live.STEPS if step not in drawn(view)] == []
