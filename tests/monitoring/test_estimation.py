"""Estimates without labels: right on average, honest about their doubt, and silent where they would not be sound."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from heptad.monitoring.estimation import FORMULAS, PERIODS, Calibration, Period, calibrate, estimate

EXACT = Calibration(intercept=0.0, slope=1.0, covariance=(0.0, 0.0, 0.0), periods=PERIODS)
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


def periods(scores, outcomes, count=PERIODS):
    """The rows as consecutive periods."""
    return [Period(*both) for both in zip(np.array_split(scores, count), np.array_split(outcomes, count), strict=True)]


def calibrated(rows, seed):
    """On scores that are the truth, the same in every period."""
    scores = scores_of(rows, seed)
    return calibrate(periods(scores, drawn(scores, seed + 1)))


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
    few, many = calibrated(400, seed=6), calibrated(20_000, seed=6)
    widths = [found.high - found.low for found in (estimate("roc_auc", scores, each) for each in (few, many))]
    assert widths[0] > 1.5 * widths[1]


def wandering(rng, weeks, rows=3_000):
    """Weeks in which features tell now more, now less about the outcome."""
    for _ in range(weeks):
        scores = np.clip(rng.beta(1.2, 2.5, rows), 0.01, 0.99)
        logit = rng.normal(0, 0.3) + np.exp(rng.normal(0, 0.3)) * np.log(scores / (1 - scores))
        yield Period(scores, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float))


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "brier"])
def test_the_interval_knows_that_weeks_differ(metric):
    """Where the relation wanders from week to week, the next week's measured value still lies in the interval."""
    rng = np.random.default_rng(20)
    inside = []
    for _ in range(60):
        *before, now = wandering(rng, PERIODS + 1)
        found = estimate(metric, now.scores, calibrate(before))
        inside.append(found.low <= MEASURED[metric](now.outcomes, now.scores) <= found.high)
    assert np.mean(inside) >= 0.85


def test_several_weeks_tell_more_than_the_newest_alone():
    """Where weeks differ by chance, four of them together are nearer to the next one than the last one is."""
    rng = np.random.default_rng(21)
    missed = {1: [], PERIODS: []}
    for _ in range(60):
        *before, now = wandering(rng, PERIODS + 1)
        for count, errors in missed.items():
            calibration = calibrate(before[-count:], before[:-count])
            value = estimate("roc_auc", now.scores, calibration).value
            errors.append(abs(value - known.roc_auc_score(now.outcomes, now.scores)))
    assert np.mean(missed[PERIODS]) < 0.9 * np.mean(missed[1])


def test_held_out_rows_stand_in_where_no_week_has_labels():
    """Without newer periods the older ones are the calibration; with one, they only say how much periods differ."""
    old = list(wandering(np.random.default_rng(22), 3))
    (new,) = wandering(np.random.default_rng(23), 1)
    at_release, fresh, alone = calibrate([], old), calibrate([new], old), calibrate([new])
    assert (at_release.periods, fresh.periods, alone) == (3, 4, None)
    assert fresh.intercept == calibrate(periods(*new)).intercept != at_release.intercept


def test_recalibration_repairs_probabilities_that_were_wrong():
    """Where scores have become too low, the newest labels bring the estimate to the truth."""
    scores = scores_of(6_500, seed=8)
    truth = 1 / (1 + np.exp(-(0.9 + 0.6 * np.log(scores / (1 - scores)))))
    calibration = calibrate(periods(scores, drawn(truth, seed=9)))
    fresh = scores_of(6_500, seed=10)
    fresh_truth = 1 / (1 + np.exp(-(0.9 + 0.6 * np.log(fresh / (1 - fresh)))))
    measured = known.log_loss(drawn(fresh_truth, seed=11), fresh)
    assert estimate("log_loss", fresh, calibration).value == pytest.approx(measured, abs=0.02)
    assert abs(estimate("log_loss", fresh, EXACT).value - measured) > 0.1


def test_separated_rows_still_calibrate():
    """Scores that split the outcomes perfectly give a steep, finite calibration."""
    scores = np.linspace(0.1, 0.9, 50)
    calibration = calibrate(periods(scores[::-2], scores[::-2] > 0.5, 1) + periods(scores[::2], scores[::2] > 0.5, 1))
    assert 1 < calibration.slope < 1e3
    assert np.isfinite(estimate("roc_auc", scores, calibration).value)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 300))
@example(555, 20)  # whole steps of Newton go round in circles there
@example(371, 23)
def test_calibration_keeps_the_rate(seed, rows):
    """Recalibrated, the same rows' probabilities average to the rate seen, but for the drawn-in targets."""
    scores = scores_of(rows, seed)
    outcomes = drawn(scores, seed + 1)
    halves = periods(scores, outcomes, 2)
    calibration = calibrate(halves)
    if any(half.outcomes.min() == half.outcomes.max() for half in halves):
        assert calibration is None
    else:
        assert calibration.apply(scores).mean() == pytest.approx(outcomes.mean(), abs=2.5 / rows)


def test_nothing_is_estimated_where_nothing_can_be():
    """An unknown metric, no rows, or labels of one kind give no estimate instead of a number."""
    assert estimate("rmse", scores_of(10, 1), EXACT) is None
    assert estimate("roc_auc", np.array([]), EXACT) is None
    assert calibrate(periods(scores_of(10, 1), np.ones(10), 2)) is None
    assert calibrate([]) is None
