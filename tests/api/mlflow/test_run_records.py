"""Runs by id."""

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context
from heptad.api.mlflow.run_records import active_run, run_named
from tests.api.conftest import Calls


def test_only_runs_are_found(calls: Calls) -> None:
    """Not what is none, nor records of another kind, nor anything by a path."""
    context = Context(calls.workspace)
    run = calls.run(calls.experiment())
    assert run_named(context, run, ("status",)).attributes == {"status": "running"}
    (experiment,) = calls.post("experiments/search", filter="name = 'trials'")["experiments"]
    other = context.experiment(experiment["experiment_id"]).id
    for wrong, code in (
        (other, "DOES_NOT_EXIST"),
        ("run-none", "DOES_NOT_EXIST"),
        ("../x", "DOES_NOT_EXIST"),
        ("nul\0", "DOES_NOT_EXIST"),
        ("x" * 9999, "DOES_NOT_EXIST"),
        ("", "INVALID"),
    ):
        with pytest.raises(ProtocolError) as caught:
            run_named(context, wrong)
        assert code in caught.value.code


def test_a_deleted_run_takes_no_change(calls: Calls) -> None:
    """Until it is restored."""
    run = calls.run()
    calls.post("runs/delete", run_id=run)
    with pytest.raises(ProtocolError, match="active"):
        active_run(run_named(Context(calls.workspace), run))
    assert calls.refused("runs/log-parameter", run_id=run, key="a", value="b")[0] == "INVALID_PARAMETER_VALUE"
    calls.post("runs/restore", run_id=run)
    calls.post("runs/log-parameter", run_id=run, key="a", value="b")
