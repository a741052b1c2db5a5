"""What surrounded runs is read from the graph, and how their metrics went."""

import math

import polars as pl

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.experiments.comparison import labelled
from heptad.experiments.reading import POINTS, curve_of, curves_of, surroundings_of, thinned


def test_curves_have_the_points_of_every_run(workspace: Workspace) -> None:
    """By metric; one that has a single point in each run has no curve, and a long one is thinned to its shape."""
    experiments = Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
    with experiments.start("a") as a, experiments.start("a") as b:
        for step in range(5 * POINTS):
            a.log(step, loss=1 / (1 + step))
        for step in (1, 2):
            b.log(10 * step, loss=step)
        b.log(final=3)
    runs = labelled([experiments.show(one.id) for one in (a, b)])
    curves = curves_of(workspace, runs)
    assert list(curves) == ["loss"]
    assert curves["loss"]["run"].unique(maintain_order=True).to_list() == ["[1] a", "[2] a"]
    first, second = curves["loss"].partition_by("run")
    assert (second["step"].to_list(), second["value"].to_list()) == ([10, 20], [1.0, 2.0])
    assert first.height <= POINTS
    assert (first["value"].max(), first["step"].min()) == (1.0, 0)


def test_every_point_of_one_metric_is_read(workspace: Workspace) -> None:
    """Its figures are those of the whole series; what is thinned keeps single steps that stand out."""
    experiments = Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
    with experiments.start("a") as run:
        for step in range(5 * POINTS):
            run.log(step, loss={777: 1e6, 1234: -500.0}.get(step, 1.0))
    runs = labelled([experiments.show(run.id)])
    whole = curve_of(workspace, runs, "loss")
    assert whole.height == 5 * POINTS
    (drawn,) = curves_of(workspace, runs).values()
    for curve in (whole, drawn):
        assert (curve["value"].min(), curve["value"].max()) == (-500, 1e6)
    assert drawn.height <= POINTS


def test_thinning_keeps_the_least_and_the_greatest_of_each_part() -> None:
    """And the first and the last, of each run for itself, in order; short runs stay, and what is thin stays thin."""
    count = 100_000
    values = [math.nan if step % 3 == 0 else float(step % 1000) for step in range(count)]
    values[50_001], values[70_001] = -9.0, 9999.0
    long = pl.DataFrame({"run": "a", "step": range(count), "value": values})
    short = pl.DataFrame({"run": "b", "step": range(POINTS), "value": [math.nan] * POINTS})
    drawn = thinned(pl.concat([long, short]))
    a, b = drawn.partition_by("run", maintain_order=True)
    assert b.equals(short)
    assert POINTS // 2 < a.height <= POINTS
    assert (a["step"][0], a["step"][-1]) == (0, count - 1)
    assert a["step"].is_sorted()
    assert {50_001, 70_001} <= set(a["step"])
    assert thinned(drawn).equals(drawn)
    assert thinned(long.clear()).is_empty()
    few = thinned(long, 24)
    assert few.height <= 24
    assert {0, 50_001, 70_001, count - 1} <= set(few["step"])


def test_surroundings_are_those_of_each_run(workspace: Workspace) -> None:
    """Its environment, what it read, and its folds."""
    experiments = Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
    source = experiments.start("source")
    run = experiments.start("run", made_from=[("data", source.id)])
    for fold in range(3):
        run.log(fold, **{"fold.auc": 0.5 + fold / 10})
    run.finish()
    other, found = surroundings_of(workspace, [experiments.show(source.id), experiments.show(run.id)])
    assert (list(other.data), list(found.data)) == ([], [source.id])
    assert found.environment is not None
    assert "polars" in found.environment.packages
    assert {name: list(values) for name, values in found.folds.items()} == {"auc": [0.5, 0.6, 0.7]}
