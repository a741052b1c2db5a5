"""`heptad demo`: what it prints and writes at its end, on a small world instead of a year of flights."""

import json
from datetime import timedelta

import pytest

from heptad.cli import demo
from tests.cli.conftest import Shell
from tests.lifecycle.rides import START, make_rides


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The rides, in the place where the demo would make the flights."""
    monkeypatch.setattr(demo, "START", START)
    monkeypatch.setattr(demo, "END", START + timedelta(weeks=1))
    monkeypatch.setattr(demo, "SINGLES", 3)
    return make_rides(tmp_path / "demo", days=70)


def test_the_demo_ends_with_a_table_a_page_and_figures(small, shell: Shell):
    """A row a month, where to look next; report.html and summary.json hold the same, equal the second time."""
    played = shell.bare("demo", str(small))
    assert played.code == 0
    assert "frozen" in played.out
    assert "Look further" in played.out
    summary = json.loads((small / "summary.json").read_text())
    assert summary.keys() == {"result", "observed"}
    assert {"auc_frozen", "auc_loop", "predictions", "failed_requests"} <= summary["result"].keys()
    assert summary["result"]["predictions"] == 7 * 48
    assert "<html" in (small / "report.html").read_text()
    again = shell.bare("demo", str(small), "--json")
    assert again.json["result"] == summary["result"]


def test_a_day_before_the_first_is_refused(small, shell: Shell):
    """Nothing is made or played where the day is over before anything happens."""
    refused = shell.bare("demo", str(small), "--until", "2013-03-01")
    assert refused.code == 2
    assert "2026-02-26" in refused.err
    assert not (small / ".heptad").exists()
