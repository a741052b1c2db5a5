"""Estimators are kept without pickle."""

import pytest
from sklearn.linear_model import LinearRegression

skops = pytest.importorskip("skops.io")


def test_an_estimator_comes_back_without_trusting_anything(run, kept):
    """A linear model needs no type but those that skops knows."""
    run.model("line", LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    run.finish()
    assert skops.loads(kept("line/model.skops")).predict([[2.0]]) == pytest.approx([5.0])
