"""Earlier studies over similar data give the first points, and are linked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from tests.experiments.searching.functions import SPACE, square
from tests.training.conftest import project_on  # noqa: F401 - a fixture

from heptad.core.clock import ManualClock
from heptad.core.errors import InputError, NotFoundError
from heptad.experiments import ActiveTrial, Choice, Experiments, Float, Int, Space
from heptad.experiments.searching.warm_start import similarity

ProjectOn = Callable[..., Any]


def frame(shift: float = 0.0, copies: int = 1) -> pl.DataFrame:
    rows = range(200 * copies)
    numbers = {f"c{n}": [float(one * (n + 3) % 17) + shift for one in rows] for n in range(4)}
    return pl.DataFrame(numbers | {"target": ["a", "b"] * (100 * copies)})


def test_the_best_points_of_an_earlier_study_come_first_and_are_linked(experiments: Experiments) -> None:
    """Points that lie outside of the space now are left out, and what is given comes before them."""
    before = experiments.search(SPACE, square, trials=12, name="before")
    assert before.best is not None
    given = [{"x": 0.9, "kind": "a"}]
    report = experiments.search(SPACE, square, trials=3, name="after", warm_start="similar", first=given)
    params = [run.body.params for run in experiments.trials(report.study)]
    assert params[:2] == [*given, before.best.params]
    assert report.warm_start == {before.study: 1.0}
    narrow = experiments.search({"x": Float(5, 6)}, lambda t: t["x"], trials=1, name="narrow", warm_start="similar")
    assert narrow.warm_start == {}


def test_what_earlier_studies_give_stays_when_there_are_more_of_them(experiments: Experiments) -> None:
    """A search that is gone on with has the points that it began with."""
    experiments.search(SPACE, square, trials=4, name="before")
    first = experiments.search(SPACE, square, trials=3, name="after", warm_start="similar")
    experiments.search(SPACE, square, trials=9, name="later")
    again = experiments.search(SPACE, square, trials=5, name="after", warm_start="similar")
    assert (again.study, again.warm_start, again.finished) == (first.study, first.warm_start, 5)


def test_a_study_can_be_named_and_must_be_of_use(experiments: Experiments) -> None:
    """One that is unknown, or has no point in the space, is refused."""
    with pytest.raises(NotFoundError):
        experiments.search(SPACE, square, trials=1, warm_start="study-unknown")
    other = experiments.search({"y": Float(0, 1)}, lambda trial: trial["y"], trials=1)
    with pytest.raises(InputError, match="has half of its parameters in the space"):
        experiments.search(SPACE, square, trials=1, warm_start=other.study)


def test_what_breaks_a_constraint_is_not_begun_with(experiments: Experiments) -> None:
    """The best of those that keep to it come first; a study that never did is of no use."""

    def figures(trial: ActiveTrial) -> dict[str, float]:
        return {"value": float(trial["x"]), "ms": -10 * float(trial["x"])}

    space, rules = {"x": Float(-1, 1)}, {"sampler": "random", "trials": 20}
    before = experiments.search(space, figures, constraints=["ms <= 5"], **rules)
    after = experiments.search(space, figures, name="after", constraints=["ms <= 5"], warm_start=before.study, trials=3)
    assert before.best is not None
    assert (after.infeasible, after.best and after.best.params) == (0, before.best.params)
    with pytest.raises(InputError, match="keeps to ms <= -99"):
        experiments.search(space, figures, name="never", constraints=["ms <= -99"], warm_start=before.study)
    similar = experiments.search(space, figures, constraints=["ms <= -99"], warm_start="similar", **rules)
    assert similar.warm_start == {}


@pytest.mark.parametrize(
    ("space", "taken"),
    [
        ({"x": Float(-1, 1), "kind": Choice(("a", "b")), "new": Float(5, 6)}, ["x", "kind"]),
        ({"x": Float(-1, 1)}, ["x"]),
        ({"x": Float(-1, 1), "sort": Choice(("a", "b"))}, ["x"]),
        ({"x": Int(-1, 1), "kind": Choice(("a", "b"))}, ["x", "kind"]),
    ],
    ids=["one more", "one fewer", "another name", "whole numbers"],
)
def test_of_points_that_are_not_whole_what_is_known_is_taken(
    experiments: Experiments, space: Space, taken: list[str]
) -> None:
    """The rest is drawn; the report says what was taken, and the same is drawn each time."""
    before = experiments.search(SPACE, square, trials=12, name="before", sampler="random")
    assert before.best is not None
    for wanted in ("similar", before.study):
        after = experiments.search(space, lambda t: float(t["x"]) ** 2, trials=1, name="after", warm_start=wanted)
        assert after.taken == {before.study: ", ".join(taken)}
        (run,) = experiments.trials(after.study)
        best = before.best.params
        expected = {name: round(float(best[name])) if space[name] == Int(-1, 1) else best[name] for name in taken}
        assert {name: run.body.params[name] for name in taken} == expected


def test_data_is_similar_by_its_columns_and_how_they_are_spread(project_on: ProjectOn, clock: ManualClock) -> None:  # noqa: F811
    """More rows of the same are the same, a column that has moved away is another, another target is never similar."""
    project = project_on(frame(), "target")
    own = [project.version.id]
    assert similarity(project.workspace, own, own) == 1.0
    assert similarity(project.workspace, own, []) == 0.0

    def compared(other: pl.DataFrame, target: str = "target") -> float:
        clock.advance(timedelta(days=1))
        beside = project_on(other, target, **({} if target == "target" else {"task": "regression"}))
        return similarity(project.workspace, own, [beside.version.id])

    assert compared(frame(copies=2)) == 1.0
    assert compared(frame(shift=1000.0)) == pytest.approx(1 / 5)
    assert compared(frame().drop("target"), "c0") == 0.0
