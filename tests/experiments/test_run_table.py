"""Runs are found, noted upon, and left out."""

import pytest

from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import Order
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


def finished(experiments: Experiments, name: str, auc: float) -> str:
    with experiments.start(name) as run:
        run.log(auc=auc)
    return run.id


def test_deleted_runs_are_left_out_until_they_are_restored(experiments: Experiments) -> None:
    """Lists and frames leave them out; they can be asked for, and a reason is needed."""
    kept, gone = finished(experiments, "kept", 0.5), finished(experiments, "gone", 0.6)
    with pytest.raises(InputError, match="is not said"):
        experiments.delete([gone], " ")
    with pytest.raises(NotFoundError):
        experiments.delete([gone, "run-nobody"], "one is not there, so none is deleted")
    assert len(experiments.list()) == 2
    experiments.delete([gone], "it read the wrong file")
    assert [run.id for run in experiments.list()] == [kept]
    assert experiments.frame()["id"].to_list() == [kept]
    assert experiments.list(where="metrics.auc > 0.55") == []
    (found,) = experiments.list(where="deleted exists")
    assert (found.id, found.attributes["deleted_reason"]) == (gone, "it read the wrong file")
    experiments.restore([gone])
    assert len(experiments.list()) == 2


def test_tags_come_and_go(experiments: Experiments) -> None:
    run = finished(experiments, "a", 0.5)
    experiments.tag([run], {"team": "red", "ok": True})
    assert [one.id for one in experiments.list(where="tags.team = red and tags.ok = true")] == [run]
    experiments.tag([run], {"team": None})
    assert experiments.list(where="tags.team exists") == []


def test_runs_come_in_the_order_that_is_asked_for(experiments: Experiments) -> None:
    for name, auc in (("a", 0.5), ("b", 0.9), ("c", 0.7)):
        finished(experiments, name, auc)
    found = experiments.list(2, order=[Order("metrics.auc", descending=True)])
    assert [run.body.name for run in found] == ["b", "c"]
