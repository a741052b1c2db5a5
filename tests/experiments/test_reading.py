"""What surrounded runs is read from the graph, and how their metrics went."""

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.experiments.comparison import labelled
from heptad.experiments.reading import POINTS, curves_of, surroundings_of


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
    assert first.height <= POINTS + 1
    assert (first["value"].max(), first["step"].min()) == (1.0, 0)


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
