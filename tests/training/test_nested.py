"""Nested cross-validation judges the search, not one model of it."""

import polars as pl
import pytest
from tests.training.conftest import ProjectOn

from heptad.experiments import SearchSettings
from heptad.training import ValidateSettings
from heptad.training.nested import cross_validate

SEARCH = SearchSettings(estimators=("linear",), trials=2, folds=2)
VALIDATE = ValidateSettings(outer_folds=3, bootstrap=5)


def test_every_outer_fold_has_a_search_and_a_value(project_on: ProjectOn, cancer: pl.DataFrame) -> None:
    """The figure is that of a set that is known for it, and running again takes the trials that are there."""
    project = project_on(cancer, "target", search=SEARCH, validate=VALIDATE)
    told: list[int] = []
    found = cross_validate(
        project.experiments, project.training.parting, project.version, seed=7,
        on_trial=lambda fold, _: told.append(fold),
    )  # fmt: skip
    assert told == [1, 1, 2, 2, 3, 3]
    assert [one.number for one in found.folds] == [1, 2, 3]
    assert sum(one.judged_rows for one in found.folds) == len(cancer)
    assert all(one.learnt_rows + one.judged_rows == len(cancer) for one in found.folds)
    assert found.metric == "roc_auc"
    assert found.mean == pytest.approx(0.99, abs=0.01)
    told.clear()
    again = cross_validate(
        project.experiments, project.training.parting, project.version, seed=7,
        on_trial=lambda fold, _: told.append(fold),
    )  # fmt: skip
    assert told == []
    assert again == found


def test_a_regression_is_judged_too(project_on: ProjectOn, diabetes: pl.DataFrame) -> None:
    """Lower is better, and the spread is that of the folds."""
    project = project_on(diabetes, "target", search=SEARCH, validate=VALIDATE)
    found = cross_validate(project.experiments, project.training.parting, project.version, seed=7)
    assert found.better == "lower"
    assert found.mean == pytest.approx(56, abs=4)
    assert found.deviation is not None
