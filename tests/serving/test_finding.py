"""One answer by its id."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from heptad.core.errors import NotFoundError
from heptad.core.workspace import Workspace
from heptad.serving.finding import find_prediction
from heptad.serving.journal import Journal, create_journal
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import TABLE
from heptad.serving.messages import Part
from heptad.serving.snapshot import serve_folder

MakePart = Callable[..., Part]
STRANGE = ["x'; DROP TABLE log; --", "it''s \\ %_", "ünï→\U0001f9ed", "' OR '1' = '1"]


@pytest.fixture
def journal(workspace: Workspace) -> Journal:
    path = serve_folder(workspace).journal
    create_journal(path)
    return Journal(path)


@pytest.fixture
def log(workspace: Workspace) -> PredictionLog:
    return PredictionLog(workspace.name, serve_folder(workspace).journal, workspace.tables / TABLE)


def test_where_nobody_asked_nothing_is_found(workspace: Workspace) -> None:
    """Without a journal and without a table the error says where ids are listed."""
    with pytest.raises(NotFoundError, match="heptad serving list"):
        find_prediction(workspace, "a")


def test_an_answer_is_the_same_before_and_after_it_was_collected(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart
) -> None:
    """Found in the journal or in the table, by its own id among those of its request, with all that was logged."""
    journal.add([part_of("a", "b", "c", at=5)])
    waiting = find_prediction(workspace, "b")
    assert waiting.id == "b"
    log.collect()
    journal.add([part_of("d", at=6)])
    assert find_prediction(workspace, "b") == waiting
    assert find_prediction(workspace, "d").id == "d"
    with pytest.raises(NotFoundError, match="'e'"):
        find_prediction(workspace, "e")


@pytest.mark.parametrize("identity", STRANGE)
def test_any_id_is_only_an_id(
    workspace: Workspace, journal: Journal, log: PredictionLog, part_of: MakePart, identity: str
) -> None:
    """Quotes, signs and letters of any script are found as they are, and select nothing else."""
    journal.add([part_of("other", at=1)])
    log.collect()
    with pytest.raises(NotFoundError):
        find_prediction(workspace, identity)
    journal.add([part_of(identity, at=2)])
    log.collect()
    assert find_prediction(workspace, identity).id == identity


def test_looking_for_one_answer_loads_no_table_library() -> None:
    """Polars, NumPy and what trains stay out of a process that looks for one prediction."""
    code = "import json, sys, heptad.serving.finding; print(json.dumps(list(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {"polars", "numpy", "sklearn", "lightgbm", "scipy", "onnxruntime"} & set(loaded)
