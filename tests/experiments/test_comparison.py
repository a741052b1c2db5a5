"""Comparison shows where runs differ and leaves out where they are the same."""

import math
import random
from datetime import UTC, datetime

import pytest

from heptad.core.records import Record, Scalar
from heptad.experiments import Environment, Run
from heptad.experiments.comparison import Surroundings, compare_runs, importance


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


def test_a_parameter_that_is_nan_everywhere_is_no_difference() -> None:
    """NaN is not equal to itself, and still nothing differs; beside a number it does."""
    nan, inf = float("nan"), float("inf")
    first = a_run("one", params__a=nan, params__b=nan, params__c=inf)
    second = a_run("two", params__a=nan, params__b=1.0, params__c=inf)
    assert list(compare_runs([first, second]).params) == ["b"]


def test_a_parameter_of_mixed_types_still_makes_a_frame() -> None:
    """A number in one run and a text in another are shown side by side."""
    frame = compare_runs([a_run("a", params__depth=3), a_run("b", params__depth="auto")]).frame()
    assert frame["params.depth"].to_list() == ["3", "auto"]


def test_what_surrounded_the_runs_is_shown_where_it_differs() -> None:
    """Code, data and packages; the same Python is left out, and so is all of a run of which nothing is known."""
    same = {"python": "3.11.9", "platform": "Linux", "cores": 2}
    ours = Environment(**same, packages={"polars": "1.0", "numpy": "2.0"}, commit="a" * 40)
    theirs = Environment(**same, packages={"polars": "1.1", "numpy": "2.0"}, commit="b" * 40, diff="d" * 64)
    around = [Surroundings(environment=ours, data=["flights@1"]), Surroundings(environment=theirs, data=["flights@2"])]
    assert compare_runs([a_run("a"), a_run("b")], around).surroundings == {
        "data": ["flights@1", "flights@2"],
        "commit": ["a" * 12, "b" * 12],
        "uncommitted changes": ["none", "d" * 12],
        "package polars": ["1.0", "1.1"],
    }
    assert compare_runs([a_run("a"), a_run("b")], [Surroundings(), Surroundings()]).surroundings == {}


def test_intervals_are_of_the_mean_over_folds() -> None:
    """Student's, of the folds that there are; none of one fold, nor of what is no number. Folds are no metrics."""
    folds = [{"auc": [0.7, 0.8, 0.9]}, {"auc": [0.8]}, {"auc": [0.8, math.nan]}]
    runs = [a_run(name, metrics__auc=0.8, metrics__fold__auc=0.9) for name in "abc"]
    compared = compare_runs(runs, [Surroundings(folds=one) for one in folds])
    assert compared.metrics == {"auc": [0.8] * 3}
    (span, *others) = compared.intervals["auc"]
    assert span == pytest.approx((0.8 - 4.303 * 0.1 / math.sqrt(3), 0.8 + 4.303 * 0.1 / math.sqrt(3)), abs=1e-4)
    assert others == [None, None]


def test_importance_finds_what_the_metric_follows() -> None:
    """However it follows, numbers and names; what is drawn by chance explains next to nothing."""
    chance = random.Random(1)
    size = [chance.random() for _ in range(200)]
    kind = [chance.choice("abc") for _ in range(200)]
    noise = [chance.choice("xyz") for _ in range(200)]
    metric = [math.exp(5 * one) + {"a": 0, "b": 30, "c": 60}[other] for one, other in zip(size, kind, strict=True)]
    shares = importance({"noise": noise, "size": size, "kind": kind, "same": [1] * 200}, metric)
    assert shares["noise"] < 0.05
    assert shares["same"] == 0
    assert shares["size"] > 0.3
    assert shares["kind"] > 0.3
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert importance({"size": size}, size) == {"size": pytest.approx(1)}


def test_a_parameter_that_some_runs_have_is_judged_among_those() -> None:
    """Having it is not its value; of fewer than five runs nothing is said."""
    metric = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 90.0, 91.0, None]
    leaves = [3, 3, 3, 3, 3, 3, None, None, 3]
    few = [None, None, None, None, 1, 2, 3, 4, 5]
    assert importance({"leaves": leaves, "few": few}, metric) == {"leaves": 0.0}
