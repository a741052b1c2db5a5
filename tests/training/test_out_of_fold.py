"""Every row is scored by a model that has not seen it, and others by all models."""

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import ProjectOn

from heptad.core.errors import NotFoundError
from heptad.experiments import SearchSettings
from heptad.training import ValidateSettings
from heptad.training.out_of_fold import FOLDS, model_of, out_of_fold


def test_own_rows_once_and_others_by_every_model(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """Probabilities add up to 1, and the models of the folds differ."""
    project = project_on(wine, "target")
    parting = project.training.parting
    frame = parting.labelled(project.version)
    own, others = out_of_fold(parting, project.version, frame, model_of([], "linear"), 7, others=frame.head(10))
    assert own.shape == (178, 3)
    assert others.shape == (FOLDS, 10, 3)
    np.testing.assert_allclose(own.sum(axis=1), 1)
    assert others.std(axis=0).max() > 0


def test_the_newest_candidate_is_asked(project_on: ProjectOn, wine: pl.DataFrame) -> None:
    """With its parameters; before there is one, a default."""
    project = project_on(
        wine, "target", search=SearchSettings(estimators=("linear",), trials=2, folds=2),
        validate=ValidateSettings(bootstrap=5),
    )  # fmt: skip
    training = project.training
    assert model_of(training.candidates()).estimator == "lightgbm"
    candidate = training.train(project.version, training.search(project.version))
    found = model_of(training.candidates())
    assert (found.estimator, found.params) == ("linear", candidate.body.params)
    assert model_of(training.candidates(), "random_forest").estimator == "random_forest"
    with pytest.raises(NotFoundError, match="no estimator 'forrest'"):
        model_of([], "forrest")


def test_nobody_learns_from_what_is_doubted(project_on: ProjectOn, diabetes: pl.DataFrame) -> None:
    """Numbers that are doubted change no prediction, whatever they are; one that is not does."""
    doubted = np.arange(len(diabetes)) % 9 == 0
    far = pl.when(pl.Series(doubted)).then(1e6).otherwise("target").alias("target")

    def predicted(frame: pl.DataFrame, folder: str) -> np.ndarray:
        project = project_on(frame.with_row_index("id"), "target", key=["id"], folder=folder)
        rows, model = project.training.parting.labelled(project.version), model_of([], "linear")
        parting = project.training.parting
        return out_of_fold(parting, project.version, rows, model, 7, others=rows.head(0), doubted=doubted)[0]

    as_it_was = predicted(diabetes, "a")
    assert as_it_was.shape == (442, 1)
    np.testing.assert_allclose(predicted(diabetes.with_columns(far), "b"), as_it_was)
