"""A report says what a study came to, at any time, from its runs alone."""

import pytest
from tests.experiments.searching.functions import conditional, two

from heptad.core.errors import NotFoundError
from heptad.experiments import ActiveTrial, Experiments, Float
from heptad.experiments.searching import importance
from heptad.experiments.searching.records import Importance
from heptad.experiments.searching.space import Space


@pytest.mark.parametrize("space", [{"x": Float(-1, 1), "idle": Float(-1, 1)}, conditional])
def test_what_mattered_is_measured_also_where_parameters_are_conditional(
    experiments: Experiments, space: Space
) -> None:
    """The parameter that decides comes first, and shares add up to one."""
    report = experiments.search(space, lambda trial: float(trial["x"]) ** 2, trials=40, sampler="random")
    assert report.importance_by.startswith("fANOVA")
    assert report.importances[0].param == "x"
    assert sum(one.share for one in report.importances) == pytest.approx(1)


def test_failures_are_counted_by_reason(experiments: Experiments) -> None:
    """And a study without a finished trial has no best."""

    def fails(trial: object) -> float:
        raise ValueError("always")

    report = experiments.search({"x": Float(0, 1)}, fails, trials=3)
    assert (report.best, report.front, report.reasons) == (None, [], {"ValueError: always": 3})


def test_without_an_id_it_is_about_the_newest_study(experiments: Experiments) -> None:
    """And where there is none, the remedy says how to get one."""
    with pytest.raises(NotFoundError, match="heptad run"):
        experiments.study()
    report = experiments.search({"x": Float(0, 1)}, lambda trial: trial["x"], trials=2)
    assert experiments.study() == report == experiments.study(report.study)


def test_what_was_computed_of_the_same_trials_is_read(experiments: Experiments, monkeypatch) -> None:
    """Optuna is not loaded for it again; another trial has it computed anew, and so does a cache that was removed."""
    space = {"x": Float(-1, 1), "idle": Float(-1, 1)}
    report = experiments.search(space, lambda trial: float(trial["x"]) ** 2, trials=12, sampler="random")
    asked = []
    monkeypatch.setattr(importance, "measure", lambda *_: asked.append(1) or [Importance("again", 1.0)])
    assert experiments.study() == report
    assert asked == []
    for file in experiments.workspace.cache.rglob("*.json"):
        file.unlink()
    assert experiments.study().importances == [Importance("again", 1.0)]


def test_more_trials_are_not_hoped_for_where_there_are_none(experiments: Experiments) -> None:
    """Every point of the grid was tried; and of several objectives nothing is estimated."""
    report = experiments.search({"x": Float(-1, 1)}, lambda trial: trial["x"], trials=100, sampler="grid")
    assert (report.more.verdict, "every point of the grid" in report.more.sentence) == ("no", True)
    both = {"a": "minimize", "b": "maximize"}
    report = experiments.search({"x": Float(-1, 1)}, two, objectives=both, trials=15, sampler="random")
    assert (report.more.verdict, "several objectives" in report.more.sentence) == ("cannot say", True)


def test_what_breaks_a_constraint_is_no_best_that_more_trials_would_have_to_beat(experiments: Experiments) -> None:
    """Only feasible trials count; the first one here is far below all others, and outside."""

    def loss(trial: ActiveTrial) -> dict[str, float]:
        return {"value": -1e6 if trial.number == 0 else 50.0 - trial.number, "size": 9.0 * (trial.number == 0)}

    report = experiments.search({"x": Float(0, 1)}, loss, trials=31, constraints=["size <= 5"])
    assert report.more.verdict == "yes"
    assert report.more.high < 100
    assert "30. of 30 trials" in report.more.evidence[0]
