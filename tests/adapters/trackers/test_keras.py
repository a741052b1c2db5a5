"""Keras is followed by one callback: epochs, rates, the early stop, and the model."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("torch")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore")


def test_epochs_are_followed_to_the_early_stop(run, rows, tmp_path, attributes, series, kept, signature):
    """Each epoch's metric and rate as it ends; the model that is kept predicts the same."""
    features, target = rows
    model = keras.Sequential([keras.layers.Input((3,), name="rows"), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    stop = keras.callbacks.EarlyStopping("loss", patience=2)
    model.fit(features, target, epochs=9, verbose=0, shuffle=False, callbacks=[run.watch("keras"), stop])
    run.finish()
    found = attributes()
    assert found["metrics.stopped_epoch"] == len(series("loss")) - 1 < 8
    assert set(series("learning_rate")) == {0.0}
    assert (found["params.epochs"], found["params.optimizer.name"]) == (9, "sgd")
    (tmp_path / "m.keras").write_bytes(kept("model/model.keras"))
    again = keras.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(again.predict(features, verbose=0), model.predict(features, verbose=0))
    told, answer = signature().split(" -> ")
    assert told == "rows float32[-1, 3]"
    assert answer.endswith("float32[-1, 1]")
