"""The last answers."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heptad.core.workspace import Workspace
from heptad.serving.finding import find_prediction
from heptad.serving.journal import Journal, create_journal
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import TABLE
from heptad.serving.messages import Part
from heptad.serving.newest import MOST, newest_predictions
from heptad.serving.snapshot import serve_folder

MakePart = Callable[..., Part]


@pytest.fixture
def journal(workspace: Workspace) -> Journal:
    path = serve_folder(workspace).journal
    create_journal(path)
    return Journal(path)


@pytest.fixture
def log(workspace: Workspace) -> PredictionLog:
    return PredictionLog(workspace.name, serve_folder(workspace).journal, workspace.tables / TABLE)


def ids(workspace: Workspace, limit: int) -> list[str]:
    return [one.id for one in newest_predictions(workspace, limit)]


def test_where_nobody_asked_there_is_nothing(workspace: Workspace) -> None:
    """Without a journal and without a table the list is empty."""
    assert newest_predictions(workspace, 5) == []


def test_the_newest_come_first_collected_or_not(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart
) -> None:
    """By their time, and by their ids where that is equal; each once, also while it is in both places."""
    journal.add([part_of("b", "a", at=5), part_of("early", at=1), part_of("late", at=9)])
    assert ids(workspace, 10) == ["late", "a", "b", "early"]
    log.collect()
    journal.add([part_of("c", at=5)])
    assert ids(workspace, 10) == ["late", "a", "b", "c", "early"]
    assert ids(workspace, 3) == ["late", "a", "b"]
    assert ids(workspace, 10 * MOST) == ids(workspace, 5)


def test_what_is_moved_meanwhile_is_not_listed_twice(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the journal and the table a collector may move what was read already."""
    journal.add([part_of("a"), part_of("b")])
    newest = Journal.newest

    def read(self: Journal, limit: int) -> Any:
        found = newest(self, limit)
        log.collect()
        return found

    monkeypatch.setattr(Journal, "newest", read)
    assert ids(workspace, 5) == ["a", "b"]


def test_a_prediction_reads_alike_from_both_places(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart
) -> None:
    """Inputs, labels, shadows and warnings are the same before and after it was collected, and by its id."""
    journal.add([part_of("a"), part_of("b", x=None, y=None, colour="green", sunny=False, at=3)])
    before = newest_predictions(workspace, 5)
    log.collect()
    assert newest_predictions(workspace, 5) == before
    assert [find_prediction(workspace, one.id) for one in before] == before
    assert before[1].warnings == ["colour: a value that training never saw"]


LIST = """
import json, sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.serving import newest_predictions
found = newest_predictions(open_workspace(Path(sys.argv[1]), "test", StoreSettings()), 5)
print(json.dumps([len(found), sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_listing_loads_no_library_for_whole_tables(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart
) -> None:
    """A command that lists a few answers is quick: it starts neither Polars nor NumPy, nor anything that trains."""
    journal.add([part_of("a")])
    log.collect()
    journal.add([part_of("b")])
    command = [sys.executable, "-c", LIST, str(workspace.root)]
    found, loaded = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found == 2
    assert {"polars", "numpy", "onnxruntime", "sklearn", "lightgbm"} & set(loaded) == set()
    assert Path(workspace.tables / TABLE).exists()
