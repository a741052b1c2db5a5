"""A run begins although the store is away, and is there as if it had not been when the store is back."""

import time
from pathlib import Path

import pytest

import heptad
from heptad import project
from heptad.config import default_name
from heptad.core.errors import NotFoundError, UnavailableError
from heptad.project import open_experiments


def test_a_run_begins_while_the_store_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    """With parameters, environment and points; it is shipped as soon as the store answers."""
    monkeypatch.chdir(tmp_path)
    real = project.open_experiments

    def away(*_: object) -> None:
        raise UnavailableError("The store is away.")

    monkeypatch.setattr(project, "open_experiments", away)
    run = heptad.track("a", params={"depth": 3}, capture=False).start()
    run.log(loss=0.5)
    run.attach("f.txt", b"x")
    assert "until the store answers" in caplog.text
    assert not (tmp_path / ".heptad" / "heptad.db").exists()
    monkeypatch.setattr(project, "open_experiments", real)
    run.finish()
    experiments = open_experiments(tmp_path)
    deadline = time.monotonic() + 60
    while not experiments.list() or experiments.list()[0].attributes["status"] != "finished":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    record = experiments.show(run.id)
    assert (record.body.name, record.body.experiment) == ("a", default_name(tmp_path))
    assert (record.attributes["params.depth"], record.attributes["metrics.loss"]) == (3, 0.5)
    assert b'"python"' in experiments.workspace.blobs.get(record.body.environment)
    assert not list((tmp_path / ".heptad" / "journals").iterdir())


def test_a_mistake_is_still_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only a store that is away is worked around."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError), heptad.track("a", parent="run-unknown"):
        pass
