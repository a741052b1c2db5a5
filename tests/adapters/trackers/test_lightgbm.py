"""LightGBM is followed by one callback: rounds, rates, the early stop, and the model."""

import lightgbm
import numpy as np
import pandas as pd

SETTINGS = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.5, "verbose": -1, "metric": ["auc"]}


def test_a_training_is_followed_to_its_early_stop(run, rows, attributes, series, kept, signature):
    """Each round's metric and rate as it happened, the round it stopped at, and a model that predicts the same."""
    features, target = rows
    train = lightgbm.Dataset(features[:100], target[:100])
    booster = lightgbm.train(
        SETTINGS,
        train,
        num_boost_round=50,
        valid_sets=[lightgbm.Dataset(features[100:], target[100:], reference=train)],
        callbacks=[
            run.watch("lightgbm"),
            lightgbm.early_stopping(3, verbose=False),
            lightgbm.reset_parameter(learning_rate=lambda number: 0.5 * 0.9**number),
        ],
    )
    run.finish()
    found = attributes()
    assert found["metrics.best_iteration"] == booster.best_iteration > 0
    assert len(series("valid_0/auc")) == booster.best_iteration + 3
    assert series("learning_rate")[:2] == [0.5, 0.45]
    assert found["params.num_leaves"] == 4
    again = lightgbm.Booster(model_str=kept("model/model.txt").decode())
    assert np.array_equal(again.predict(features), booster.predict(features))
    assert signature() == "number[-1, 3] -> float64[-1]"


def test_an_estimator_and_a_cross_validation_are_followed_too(run, experiments, rows, series, caplog):
    """By the same callback, each in its own run; of a cross-validation there is no one model to keep."""
    features, target = rows
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)
    model.fit(features, target, eval_X=(features,), eval_y=(target,), callbacks=[run.watch("lightgbm", model="clf")])
    run.finish()
    assert len(series("training/binary_logloss") or series("valid_0/binary_logloss")) == 5
    with experiments.start("cv") as other:
        data = lightgbm.Dataset(features, target)
        lightgbm.cv(SETTINGS, data, num_boost_round=4, nfold=3, callbacks=[other.watch("lightgbm")])
    assert len(experiments.metric_series(other.id, "valid/auc").values) == 4
    assert "a hook failed" not in caplog.text


def test_a_fitted_estimator_is_kept_as_text(run, rows, kept):
    """Without following it."""
    features, target = rows
    run.model("best", lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(features, target))
    run.finish()
    assert kept("best/model.txt").startswith(b"tree")


def test_a_model_of_a_table_tells_its_columns(run, signature):
    """By name: numbers, the categories of pandas, and nothing of a column that no tree could split."""
    table = pd.DataFrame({"age": np.arange(90.0), "town": pd.Categorical(["a", "b", "c"] * 30), "one": 1.0})
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)
    model.fit(table, ["x", "y", "z"] * 30, callbacks=[run.watch("lightgbm")])
    run.finish()
    assert signature() == "age number, town category, one ? -> float64[-1, 3]"
