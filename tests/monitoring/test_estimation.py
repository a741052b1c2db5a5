"""Estimates without labels: right on average, honest about their doubt, and silent where they would not be sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as known

from heptad.monitoring.estimation import FORMULAS, Calibration, calibrate, estimate

EXACT = Calibration(intercept=0.0, slope=1.0, covariance=(0.0, 0.0, 0.0), rows=1_000)
"""The calibration of scores that are the truth, without doubt."""

MEASURED = {
    "accuracy": lambda outcomes, scores: known.accuracy_score(outcomes, scores >= 0.5),
    "brier": known.brier_score_loss,
    "f1": lambda outcomes, scores: known.f1_score(outcomes, scores >= 0.5),
    "log_loss": known.log_loss,
    "roc_auc": known.roc_auc_score,
}


def scores_of(rows, seed, decimals=8):
    return np.clip(np.random.default_rng(seed).beta(1.2, 2.5, rows), 0.01, 0.99).round(decimals)


def drawn(truth, seed):
    return (np.random.default_rng(seed).random(len(truth)) < truth).astype(float)


def test_every_formula_is_tried():
    """A formula that is added is also held against a measurement."""
    assert set(MEASURED) == set(FORMULAS)


@pytest.mark.parametrize("metric", sorted(FORMULAS))
@pytest.mark.parametrize("decimals", [8, 1])
def test_estimate_is_the_mean_of_what_would_be_measured(metric, decimals):
    """Over many draws of labels the measured metric averages to the estimate, also where scores are tied."""
    scores = scores_of(400, seed=1, decimals=decimals)
    measured = np.array([MEASURED[metric](drawn(scores, seed), scores) for seed in range(150)])
    found = estimate(metric, scores, EXACT)
    assert found.value == pytest.approx(measured.mean(), abs=4 * measured.std() / np.sqrt(len(measured)))


@pytest.mark.parametrize("metric", sorted(FORMULAS))
def test_interval_covers_what_is_measured(metric):
    """About 95 of 100 measured values lie in the interval when the calibration holds."""
    scores = scores_of(400, seed=2)
    found = estimate(metric, scores, EXACT)
    inside = [found.low <= MEASURED[metric](drawn(scores, seed), scores) <= found.high for seed in range(150)]
    assert 0.89 <= np.mean(inside) < 1


@pytest.mark.parametrize("metric", sorted(FORMULAS))
def test_slopes_of_the_formulas(metric):
    """Each formula's slope in a row's probability is what a small change of that probability does."""
    scores, truth = scores_of(40, seed=3, decimals=1), scores_of(40, seed=4)
    _, gradient = FORMULAS[metric](scores, truth, 0.5)
    for row in range(0, 40, 7):
        up, down = truth.copy(), truth.copy()
        up[row] += 1e-6
        down[row] -= 1e-6
        slope = (FORMULAS[metric](scores, up, 0.5)[0] - FORMULAS[metric](scores, down, 0.5)[0]) / 2e-6
        assert gradient[row] == pytest.approx(slope, abs=1e-6)


def test_doubt_of_the_calibration_widens_the_interval():
    """A calibration from few rows gives a wider interval than one from many."""
    scores = scores_of(2_000, seed=5)
    few = calibrate(scores_of(100, seed=6), drawn(scores_of(100, seed=6), seed=7))
    many = calibrate(scores_of(20_000, seed=6), drawn(scores_of(20_000, seed=6), seed=7))
    widths = [found.high - found.low for found in (estimate("roc_auc", scores, each) for each in (few, many))]
    assert widths[0] > 1.5 * widths[1]


def test_recalibration_repairs_probabilities_that_were_wrong():
    """Where scores have become too low, the newest labels bring the estimate to the truth."""
    scores = scores_of(6_500, seed=8)
    truth = 1 / (1 + np.exp(-(0.9 + 0.6 * np.log(scores / (1 - scores)))))
    calibration = calibrate(scores, drawn(truth, seed=9))
    fresh = scores_of(6_500, seed=10)
    fresh_truth = 1 / (1 + np.exp(-(0.9 + 0.6 * np.log(fresh / (1 - fresh)))))
    measured = known.log_loss(drawn(fresh_truth, seed=11), fresh)
    assert estimate("log_loss", fresh, calibration).value == pytest.approx(measured, abs=0.02)
    assert abs(estimate("log_loss", fresh, EXACT).value - measured) > 0.1


def test_separated_rows_still_calibrate():
    """Scores that split the outcomes perfectly give a steep, finite calibration."""
    scores = np.linspace(0.1, 0.9, 50)
    calibration = calibrate(scores, (scores > 0.5).astype(float))
    assert 1 < calibration.slope < 1e3
    assert np.isfinite(estimate("roc_auc", scores, calibration).value)


@given(st.integers(0, 10_000), st.integers(20, 300))
def test_calibration_keeps_the_rate(seed, rows):
    """Recalibrated, the same rows' probabilities average to the rate seen, but for the drawn-in targets."""
    scores = scores_of(rows, seed)
    outcomes = drawn(scores, seed + 1)
    calibration = calibrate(scores, outcomes)
    if outcomes.min() == outcomes.max():
        assert calibration is None
    else:
        assert calibration.apply(scores).mean() == pytest.approx(outcomes.mean(), abs=2.5 / rows)


def test_nothing_is_estimated_where_nothing_can_be():
    """An unknown metric, no rows, or labels of one kind give no estimate instead of a number."""
    assert estimate("rmse", scores_of(10, 1), EXACT) is None
    assert estimate("roc_auc", np.array([]), EXACT) is None
    assert calibrate(scores_of(10, 1), np.ones(10)) is None
