"""`heptad data dp-statistics`: figures with their noise, the ledger, and a refusal."""

from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.lifecycle.rides import make_rides

from heptad.project import open_project


def test_told_counted_and_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of the budget is said without a column."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = make_rides(tmp_path / "rides", days=20)
    open_project(folder).data.collect()
    shell = Shell(capsys, folder)
    assert shell("data", "dp-statistics", "--json").json == {"budget": 1.0, "spent": 0.0, "left": 1.0}
    told = shell("data", "dp-statistics", "--column", "hour=0:24", "--column", "zone=a,b,c", "--epsilon", "0.8")
    assert "quantile 0.5" in told.out
    assert "0.8 of 1" in told.out
    refused = shell("data", "dp-statistics", "--column", "distance=-3:3", "--epsilon", "0.8")
    assert refused.code == 1
    assert "0.2 is left" in refused.err
