"""CatBoost is followed by one callback: rounds, the early stop, and the model."""

import numpy as np
import pandas as pd
import pytest

catboost = pytest.importorskip("catboost")


def test_a_training_is_followed_to_its_early_stop(run, rows, tmp_path, attributes, series, steps, kept, signature):
    """Each round's metric, the best round, and a model that predicts the same."""
    features, target = rows
    model = catboost.CatBoostClassifier(
        iterations=60, depth=2, learning_rate=0.5, verbose=False, allow_writing_files=False, early_stopping_rounds=3
    )
    judged = (features[100:], target[100:])
    model.fit(features[:100], target[:100], eval_set=judged, callbacks=[run.watch("catboost", model)])
    run.finish()
    found = attributes()
    assert found["metrics.best_iteration"] == model.get_best_iteration()
    assert len(series("validation/Logloss")) >= model.get_best_iteration() + 3
    assert steps("validation/Logloss")[:2] == [0, 1]  # as CatBoost counts, where it names the best one
    assert found["params.depth"] == 2
    (tmp_path / "m.cbm").write_bytes(kept("model/model.cbm"))
    again = catboost.CatBoostClassifier().load_model(str(tmp_path / "m.cbm"))
    assert np.array_equal(again.predict_proba(features), model.predict_proba(features))
    assert signature() == "number[-1, 3] -> integer[-1]"


def test_a_model_of_a_table_tells_its_columns(run, signature):
    """By name: numbers and categories; it answers classes as they were given, in a column where there are many."""
    table = pd.DataFrame({"age": np.arange(90.0), "town": ["a", "b", "c"] * 30})
    model = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False, cat_features=["town"])
    model.fit(table, ["x", "y", "z"] * 30)
    run.model("many", model)
    settings = {"iterations": 3, "verbose": False, "allow_writing_files": False}
    run.model("number", catboost.CatBoostRegressor(**settings).fit(table[["age"]], np.arange(90.0)))
    run.finish()
    assert model.predict(table).shape == (90, 1)
    assert signature("many") == "age number, town category -> text[-1, 1]"
    assert signature("number") == "age number -> float64[-1]"
