"""Runs of a server: they begin without it; call, environment and settings say which it is."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

import heptad
from heptad.core.errors import InputError, UnavailableError
from heptad.experiments.journal import shipper as shippers
from heptad.experiments.remote import Remote, chosen_folder, chosen_server, ship_to_servers
from heptad.experiments.settings import TrackingSettings
from heptad.project import ship_runs

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has ended does not wait for a server that is away."""
    monkeypatch.setattr(shippers, "FAILED_SECONDS", 0.2)


def test_a_server_that_is_away_slows_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run begins, logs, has runs inside of it, and ends; everything is in a folder that one command ships."""
    monkeypatch.chdir(tmp_path)
    with heptad.track("a", params={"depth": 3}, server=NOBODY, capture=False) as run:
        began = time.perf_counter()
        for step in range(1000):
            run.log(step, loss=0.5)
        assert time.perf_counter() - began < 5
        with run.child("inner") as inner:
            inner.log(loss=0.5)
    assert "cannot be reached" in caplog.text
    assert not (tmp_path / ".heptad" / "heptad.db").exists()
    assert ship_runs(tmp_path) == []
    shipping = "from heptad.project import ship_runs; print([(o.run, o.server, o.problem) for o in ship_runs('.')])"
    for live in (run.live, inner.live):
        shippers.shipper().remove(live)
        live.journal.close()
    told = subprocess.run([sys.executable, "-c", shipping], capture_output=True, text=True, check=True).stdout
    assert all(one in told for one in (run.id, inner.id, NOBODY, "cannot be reached"))
    assert not (tmp_path / ".heptad" / "heptad.db").exists()


def test_going_on_needs_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which knows how far the run has come."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        heptad.track("a", server=NOBODY, resume="run-abcdefghijklmnop").start()


def test_mistakes_are_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could never be shipped is not logged."""
    monkeypatch.chdir(tmp_path)
    for wrong in (
        {"params": {"a": "\0"}},
        {"made_from": [("data", "no id")]},
        {"experiment": "x" * 501},
    ):
        with pytest.raises(InputError):
            heptad.track("a", server=NOBODY, **wrong).start()
    with pytest.raises(InputError):
        heptad.track("a", server="127.0.0.1:9").start()
    assert not (tmp_path / ".heptad").exists()


def test_the_call_comes_before_the_environment_and_that_before_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty one stands for none."""
    settings = TrackingSettings(server="http://a", journals="out")
    monkeypatch.delenv("HEPTAD_SERVER", raising=False)
    assert chosen_server(None, settings) == "http://a"
    assert chosen_folder(settings, tmp_path) == tmp_path / "out"
    monkeypatch.setenv("HEPTAD_SERVER", "http://b")
    monkeypatch.setenv("HEPTAD_JOURNALS", str(tmp_path / "elsewhere"))
    assert chosen_server(None, settings) == "http://b"
    assert chosen_server("http://c", settings) == "http://c"
    assert chosen_server("", settings) == ""
    assert chosen_folder(settings, tmp_path) == tmp_path / "elsewhere"
    monkeypatch.setenv("HEPTAD_SERVER", "")
    assert chosen_server(None, settings) == ""


def test_each_server_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Whose name is its address, however that was written."""
    for server in ("http://127.0.0.1:9", "http://127.0.0.1:9/", "http://127.0.0.1:7"):
        run = Remote(server, tmp_path, "name", tmp_path / "out").start("a")
        run.finish()
        shippers.shipper().remove(run.live)
        run.journal.close()
    assert len(list((tmp_path / "out").iterdir())) == 2
    told = ship_to_servers(tmp_path / "out")
    assert sorted(one.server for one in told) == ["http://127.0.0.1:7", "http://127.0.0.1:9", "http://127.0.0.1:9"]
    assert all("cannot be reached" in one.problem for one in told)
