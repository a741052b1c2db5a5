"""What handlers are given."""

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context, millis, numbered
from heptad.core.workspace import Workspace
from heptad.experiments import create_experiment


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


def test_times_are_told_in_milliseconds() -> None:
    """Rounded, since a fraction of a second is not exact."""
    assert millis(1795496503.601) == 1795496503601
    assert millis(None) == 0
