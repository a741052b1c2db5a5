"""What handlers are given."""

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context, is_deleted, millis, numbered
from heptad.core.records import Attribute, Change
from heptad.core.workspace import Workspace
from heptad.experiments import create_experiment, rename_experiment


def test_an_experiment_and_its_runs_are_found_by_number(workspace: Workspace) -> None:
    """And the number by the scope of its runs; one that does not exist has no scope."""
    made = create_experiment(workspace, "a")
    context = Context(workspace)
    assert context.experiment("1").id == made.id
    assert context.number_of("a") == 1
    assert context.scopes(["1", "5"]) == ["a"]
    assert numbered("9" * 30) is None
    with pytest.raises(ProtocolError):
        context.experiment("5")


def test_an_experiment_is_remembered_while_it_is_active(workspace: Workspace) -> None:
    """As it was when it was read last; one that was deleted then, or never read, is looked at."""
    made = create_experiment(workspace, "a")
    context = Context(workspace)
    assert context.remembered_experiment("1").attributes["name"] == "a"
    rename_experiment(workspace, made, "b")
    assert context.remembered_experiment("1").attributes["name"] == "a"
    assert context.experiment("1").attributes["name"] == "b"
    assert context.remembered_experiment("1").attributes["name"] == "b"
    workspace.store.write(Change(attributes=[Attribute(made.id, "deleted", 1.0)]))
    assert is_deleted(context.experiment("1"))
    workspace.store.write(Change(attributes=[Attribute(made.id, "deleted", None)]))
    assert not is_deleted(context.remembered_experiment("1"))
    with pytest.raises(ProtocolError):
        context.remembered_experiment("5")


def test_times_are_told_in_milliseconds() -> None:
    """Rounded, since a fraction of a second is not exact."""
    assert millis(1795496503.601) == 1795496503601
    assert millis(None) == 0
