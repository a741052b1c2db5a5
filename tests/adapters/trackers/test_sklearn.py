"""scikit-learn is followed in one line, before or after the fit."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from heptad.core.errors import InputError

skops = pytest.importorskip("skops.io")


def test_rounds_and_parameters_of_an_estimator_are_logged(run, rows, attributes, series, kept, signature):
    """Watched before it is fitted, it is told when the run ends; the model that is kept predicts the same."""
    features, target = rows
    model = run.watch("sklearn", GradientBoostingClassifier(n_estimators=7, max_depth=2))
    model.fit(features, target)
    run.finish()
    assert series("train/score") == list(model.train_score_)
    assert attributes()["tags.estimator"] == "GradientBoostingClassifier"
    assert attributes()["params.max_depth"] == 2
    assert attributes()["metrics.rounds"] == 7
    data = kept("model/model.skops")
    again = skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    assert np.array_equal(again.predict(features), model.predict(features))
    assert signature() == "number[-1, 3] -> integer[-1]"


def test_candidates_of_a_search_are_steps(run, rows, attributes, series):
    """With the best one's parameters; estimators inside of a pipeline are named."""
    features, target = rows
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1, 10]}
    )
    run.watch("sklearn", search.fit(features, target))
    run.finish()
    assert series("cv/score") == list(search.cv_results_["mean_test_score"])
    assert attributes()["params.best.logisticregression__C"] == search.best_params_["logisticregression__C"]
    assert attributes()["params.estimator__standardscaler"] == "StandardScaler"
    assert attributes()["metrics.cv/best_score"] == search.best_score_


def test_an_estimator_that_was_never_fitted_leaves_nothing(run, attributes):
    """And a thing that is none is refused."""
    run.watch("sklearn", LogisticRegression())
    with pytest.raises(InputError, match="no estimator"):
        run.watch("sklearn", 3)
    run.finish()
    assert not any(key.startswith("artifacts.") for key in attributes())
