"""XGBoost is followed by one callback: rounds, rates, the early stop, and the model."""

import numpy as np
import pandas as pd
import pytest

xgboost = pytest.importorskip("xgboost")


def test_a_training_is_followed_to_its_early_stop(run, rows, attributes, series, kept, signature):
    """Each round's metric and rate, the round it stopped at, and a model that predicts the same."""
    features, target = rows
    train, judged = xgboost.DMatrix(features[:100], target[:100]), xgboost.DMatrix(features[100:], target[100:])
    booster = xgboost.train(
        {"objective": "binary:logistic", "eval_metric": "auc", "eta": 0.5, "max_depth": 2},
        train,
        num_boost_round=60,
        evals=[(judged, "judged")],
        early_stopping_rounds=3,
        verbose_eval=False,
        callbacks=[run.watch("xgboost"), xgboost.callback.LearningRateScheduler(lambda number: 0.5 * 0.9**number)],
    )
    run.finish()
    found = attributes()
    assert found["metrics.best_iteration"] == booster.best_iteration
    assert len(series("judged/auc")) == booster.best_iteration + 4
    assert series("learning_rate")[:3] == pytest.approx([0.5, 0.5, 0.45])
    assert found["params.booster.max_depth"] == 2
    assert found["params.booster.learning_rate"] == 0.5
    assert found["params.booster.grow_policy"] == "depthwise"
    again = xgboost.Booster(model_file=bytearray(kept("model/model.json")))
    assert np.array_equal(again.predict(judged), booster.predict(judged, iteration_range=(0, 0)))
    assert signature() == "number[-1, 3] -> float32[-1]"


def test_estimators_and_cross_validations_are_followed_too(run, experiments, rows, series):
    """By the same callback, each in its own run."""
    features, target = rows
    model = xgboost.XGBClassifier(n_estimators=5, callbacks=[run.watch("xgboost")])
    model.fit(features, target, eval_set=[(features, target)], verbose=False)
    run.model("clf", model)
    run.finish()
    (found,) = experiments.list(where="params.booster.max_depth = 6 and params.booster.learning_rate = 0.3")
    assert found.id == run.id
    assert len(series("validation_0/logloss")) == 5
    with experiments.start("cv") as other:
        data = xgboost.DMatrix(features, target)
        xgboost.cv({"objective": "binary:logistic"}, data, num_boost_round=4, callbacks=[other.watch("xgboost")])
    assert len(experiments.metric_series(other.id, "test/logloss").values) == 4


@pytest.mark.parametrize(
    ("objective", "answer"), [("multi:softprob", "float32[-1, 3]"), ("multi:softmax", "float32[-1]")]
)
def test_a_model_of_a_table_tells_its_columns(run, signature, objective, answer):
    """By name and XGBoost's types; what it answers hangs on the objective."""
    table = pd.DataFrame(
        {"age": np.arange(90.0), "town": pd.Categorical(["a", "b", "c"] * 30), "old": [True, False] * 45}
    )
    data = xgboost.DMatrix(table, [0, 1, 2] * 30, enable_categorical=True)
    xgboost.train({"objective": objective, "num_class": 3}, data, 2, callbacks=[run.watch("xgboost")])
    run.finish()
    assert signature() == f"age number, town category, old boolean -> {answer}"
