"""Comparison shows where runs differ and leaves out where they are the same."""

from datetime import UTC, datetime

from heptad.core.records import Record, Scalar
from heptad.experiments import Run
from heptad.experiments.comparison import compare_runs


def a_run(name: str, **attributes: Scalar) -> Record[Run]:
    return Record(
        id=f"run-{name}",
        kind="run",
        scope="test",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="user:ada",
        body=Run(name=name, experiment="test"),
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
    )


def test_only_parameters_that_differ_are_shown() -> None:
    """Equal parameters are left out; one that a run does not have differs; metrics are all shown."""
    compared = compare_runs(
        [
            a_run("a", status="finished", params__depth=3, params__rate=0.1, metrics__auc=0.8),
            a_run("b", status="failed", params__depth=5, params__rate=0.1, params__kind="x"),
        ]
    )
    assert compared.params == {"depth": [3, 5], "kind": [None, "x"]}
    assert compared.metrics == {"auc": [0.8, None]}
    assert compared.status == ["finished", "failed"]
    frame = compared.frame()
    assert frame.columns == ["run", "name", "status", "params.depth", "params.kind", "metrics.auc"]
    assert frame["params.depth"].to_list() == [3, 5]


def test_a_parameter_of_mixed_types_still_makes_a_frame() -> None:
    """A number in one run and a text in another are shown side by side."""
    frame = compare_runs([a_run("a", params__depth=3), a_run("b", params__depth="auto")]).frame()
    assert frame["params.depth"].to_list() == ["3", "auto"]
