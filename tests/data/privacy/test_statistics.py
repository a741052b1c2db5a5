"""A data set tells no more than its budget allows, whoever asks, however often, and in however many processes."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import InputError, RefusedError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import Data, DataSettings
from heptad.data.privacy.records import Wanted
from heptad.data.privacy.settings import PrivacySettings
from heptad.data.privacy.statistics import NoisyStatistics, Statistics, wanted_of

AGE = Wanted(column="age", low=0, high=100)


@pytest.fixture
def data(open_data: Callable[..., Data], write: Callable[..., Path]) -> Data:
    rows = {"k": range(500), "age": [20 + one % 50 for one in range(500)], "town": ["a", "b"] * 250, "y": [0, 1] * 250}
    write(pl.DataFrame(rows))
    made = open_data(DataSettings(target="y", key=["k"]))
    made.collect()
    return made


def asked(workspace: Workspace, data: Data, epsilon: float, *wanted: Wanted, budget: float = 1.0) -> NoisyStatistics:
    version = data.version(1)
    ledger = Statistics(workspace, "test", PrivacySettings(epsilon=budget))
    return ledger.tell(version, data.scan(version), wanted, epsilon).body


def test_what_is_told_is_near_and_is_paid_for(workspace: Workspace, data: Data) -> None:
    """Counts, mean, quartiles and a histogram of a number; counts of categories."""
    told = asked(workspace, data, 8.0, AGE, Wanted(column="town", categories=["a", "c"]), budget=10)
    figures = {(one.column, one.what): one.value for one in told.figures}
    assert figures["age", "count"] == pytest.approx(500, abs=60)
    assert figures["age", "mean"] == pytest.approx(44.5, abs=10)
    assert figures["age", "quantile 0.5"] == pytest.approx(44, abs=15)
    assert figures["town", "a"] == pytest.approx(250, abs=60)
    assert figures["town", "others"] == pytest.approx(250, abs=60)
    assert told.epsilon <= 8.0
    assert Statistics(workspace, "test", PrivacySettings()).spent() == told.spent == told.epsilon


def test_a_spent_budget_refuses_and_what_was_told_stays_free(workspace: Workspace, data: Data) -> None:
    """Asked again for the same, the same is answered; another version has no budget of its own."""
    first = asked(workspace, data, 0.6, AGE)
    with pytest.raises(RefusedError, match=r"0\.4 is left"):
        asked(workspace, data, 0.5, Wanted(column="age", low=0, high=90))
    assert asked(workspace, data, 0.6, AGE) == first
    second = asked(workspace, data, 0.4, Wanted(column="age", low=0, high=90))
    assert second.spent == pytest.approx(1.0)
    with pytest.raises(RefusedError):
        asked(workspace, data, 0.001, Wanted(column="age", low=0, high=80))


def test_processes_at_once_do_not_overspend(workspace: Workspace, data: Data) -> None:
    """Four ask for 0.3 each of 1: three are told, and one is refused."""
    program = """
import sys
from pathlib import Path
import polars as pl
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.core import graph
from heptad.core.errors import RefusedError
from heptad.data import DatasetVersion, PrivacySettings, Statistics, find_version
from heptad.data.privacy.records import Wanted
workspace = open_workspace(Path(sys.argv[1]), "test", StoreSettings())
version = find_version(workspace, "test", 1)
rows = pl.LazyFrame({"age": [20 + one % 50 for one in range(500)]})
try:
    wanted = [Wanted(column="age", low=0, high=100 + int(sys.argv[2]))]
    Statistics(workspace, "test", PrivacySettings(epsilon=1.0)).tell(version, rows, wanted, 0.3)
    print("told")
except RefusedError:
    print("refused")
"""
    command = [sys.executable, "-c", program, str(workspace.root)]
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen([*command, f"{number}"], stdout=subprocess.PIPE, text=True))
            for number in range(4)
        ]
        answers = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert answers == ["refused", "told", "told", "told"]
    again = open_workspace(workspace.root, "test", StoreSettings())
    assert Statistics(again, "test", PrivacySettings()).spent() <= 0.9 + 1e-9


def test_columns_and_bounds_that_cannot_be_used_cost_nothing(workspace: Workspace, data: Data) -> None:
    """They are named, and the budget is whole."""
    for epsilon, wanted in (
        (0.1, []),
        (0.1, [Wanted(column="aeg", low=0, high=1)]),
        (0.1, [Wanted(column="age", low=1, high=1)]),
        (0.1, [Wanted(column="town", low=0, high=1)]),
        (0.1, [AGE, AGE]),
        (0.0, [AGE]),
        (float("inf"), [AGE]),
    ):
        with pytest.raises(InputError):
            asked(workspace, data, epsilon, *wanted)
    for text in ("age", "age=", "=0:1", "age=a:b,"):
        if text != "age=a:b,":
            with pytest.raises(InputError):
                wanted_of(text)
    assert Statistics(workspace, "test", PrivacySettings()).spent() == 0
