"""Runs are found, noted upon, and left out."""

from typing import Any

import pytest

from heptad.core import graph
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


def test_a_curve_is_a_drawing_of_every_run(experiments: Experiments) -> None:
    """A metric that has none is refused, with those that have."""
    with experiments.start("a") as run:
        for step in range(3):
            run.log(step, loss=1 / (1 + step))
        run.log(final=1.0)
    drawn = experiments.plot("loss", [run.id])
    assert drawn.startswith("<svg")
    assert "[1] a" in drawn
    with pytest.raises(InputError, match=r"more than one point of 'final'.\nAllowed: loss"):
        experiments.plot("final", [run.id])


def test_a_run_began_when_it_says(experiments: Experiments) -> None:
    """One that was imported began long before it was recorded here."""
    run = finished(experiments, "old", 0.5)
    graph.set_attributes(experiments.workspace, run, {"started": 1_000_000_000.0, "ended": 1_000_000_060.0})
    assert str(experiments.frame()["started"][0]) == "2001-09-09 01:46:40+00:00"
    compared = experiments.compare([run])
    assert (compared.started, compared.seconds) == (["2001-09-09T01:46:40+00:00"], [60.0])


@pytest.mark.parametrize("order", ["metrics.auc", ["metrics.auc"]])
def test_an_order_that_is_none_is_refused(experiments: Experiments, order: Any) -> None:
    """With how one is written."""
    with pytest.raises(InputError, match=r"cannot be put in the order(.|\n)*descending=True"):
        experiments.list(order=order)
