"""Charts are drawings without a script, of whatever sizes and names the data brings."""

import numpy as np
import pytest

from heptad.core.markup import Markup
from heptad.training import CalibrationBin, Metric, SliceMetric, charts

RANDOM = np.random.default_rng(1)
TRUTH = RANDOM.random(300) < 0.3
SCORES = np.clip(0.3 + 0.2 * TRUTH + RANDOM.normal(0, 0.1, 300), 0, 1)
OVERALL = Metric(name="roc_auc", value=0.7, low=0.68, high=0.72, rows=300, better="higher")


def check(svg: Markup, *texts: str) -> None:
    """A drawing with these texts, without scripts and without anything to load."""
    assert isinstance(svg, Markup)
    assert svg.startswith("<svg")
    assert "<script" not in svg
    assert "<image" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/")
    for text in texts:
        assert text in svg


def test_curves_of_two_classes_are_drawn() -> None:
    """ROC, precision and recall, the spread of the probabilities, calibration."""
    check(charts.roc_curve(TRUTH, SCORES), "False positive rate")
    check(charts.precision_recall_curve(TRUTH, SCORES), "Recall")
    check(charts.score_histogram(TRUTH, SCORES, 0.4, ["no", "yes"]), "true class")
    bins = [CalibrationBin(predicted=0.2, observed=0.25, rows=30), CalibrationBin(predicted=0.6, observed=0.5, rows=30)]
    check(charts.calibration_plot(bins), "Observed rate")


def test_plots_of_a_regression_are_drawn() -> None:
    """Predicted over true values, and the errors, also where all of them are equal."""
    truth = RANDOM.normal(100, 20, 3_000)
    check(charts.predicted_plot(truth, truth + RANDOM.normal(0, 3, 3_000)), "True value")
    check(charts.residual_histogram(truth, truth + RANDOM.normal(0, 3, 3_000)), "Predicted minus true value")
    check(charts.residual_histogram(truth, truth))
    check(charts.predicted_plot(np.ones(5), np.ones(5)))


def test_slices_and_attributions_are_drawn_by_name() -> None:
    """Each value and each feature is named; at most fifteen features are shown."""
    slices = [SliceMetric(column="side", value=value, metric=OVERALL) for value in ("left", "<right>")]
    check(charts.slice_plot(slices, OVERALL, "ROC AUC"), "left", "&lt;right&gt;", "300 rows")
    svg = charts.attribution_plot({f"feature {number}": float(number) for number in range(40)})
    check(svg, "feature 39", "feature 25")
    assert "feature 24<" not in svg
    check(charts.attribution_plot({"only": 0.0}), "only")


def test_a_hostile_name_stays_text() -> None:
    """Markup in a column's name is drawn as letters."""
    svg = charts.attribution_plot({"<script>alert(1)</script>": 1.0})
    check(svg, "&lt;script&gt;")


@pytest.mark.parametrize("scores", [np.full(20, 0.5), np.linspace(0, 1, 20)])
def test_few_and_equal_scores_are_drawn(scores: np.ndarray) -> None:
    """One score for every row, or a handful of rows, still make curves."""
    truth = np.arange(20) % 2 == 0
    check(charts.roc_curve(truth, scores))
    check(charts.precision_recall_curve(truth, scores))
