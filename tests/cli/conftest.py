"""A small project that was rehearsed once, and a way to call commands on it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from heptad.cli.app import run
from heptad.project import open_rehearsal
from tests.lifecycle.rides import START, make_rides, play

WEEKS = 5


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Calls commands in this process, as a terminal of 80 columns would."""

    def __init__(self, capsys: pytest.CaptureFixture[str], project: Path) -> None:
        self.project = project
        self._capsys = capsys

    def __call__(self, *words: str) -> Outcome:
        """A command about the project."""
        return self.bare(*words, "--project", str(self.project))

    def bare(self, *words: str) -> Outcome:
        """A command that names no project."""
        self._capsys.readouterr()
        code = run(words)
        printed = self._capsys.readouterr()
        return Outcome(code, printed.out, printed.err)


@pytest.fixture(scope="session")
def rides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project whose loop turned for some weeks: all seven kinds of outcome are in it."""
    folder = make_rides(tmp_path_factory.mktemp("rides"), days=56 + 7 * WEEKS)
    play(open_rehearsal(folder, "", START), timedelta(weeks=WEEKS), singles=5)
    return folder


@pytest.fixture
def shell(rides: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("COLUMNS", "80")
    return Shell(capsys, rides)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project in which nothing was run yet."""
    monkeypatch.setenv("COLUMNS", "80")
    return Shell(capsys, make_rides(tmp_path / "new", days=30))
