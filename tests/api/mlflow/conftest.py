"""What tests with the stock client share."""

import pytest


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `mlflow.set_experiment` leaves in the process and its environment ends with the test: servers change."""
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
