"""Bootstrap intervals cover what they promise, are the same each time, and hold their value."""

from dataclasses import replace

import numpy as np
import pytest

from heptad.training.intervals import percentile_interval, poisson_weights, thinned, with_intervals
from heptad.training.metrics import MEASURES, Sample, metric_names


def coins(rows: int, seed: int, hit: float = 0.8) -> Sample:
    """Rows that are predicted rightly with a known probability."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    right = random.random(rows) < hit
    predicted = np.where(right, truth, 1 - truth)
    scores = np.where(predicted == 1, random.uniform(0.5, 1, rows), random.uniform(0, 0.5, rows))
    return Sample(truth, scores, predicted, np.zeros((rows, 0)), 2)


def test_weights_are_poisson_with_mean_and_variance_one_and_repeat_themselves() -> None:
    """Row weights have mean and variance 1, come in as many resamples as asked, and depend on the seed alone."""
    drawn = np.concatenate(list(poisson_weights(2_000, 101, seed=4)))
    assert drawn.shape == (101, 2_000)
    assert drawn.mean() == pytest.approx(1, abs=0.01)
    assert drawn.var() == pytest.approx(1, abs=0.02)
    assert np.array_equal(drawn, np.concatenate(list(poisson_weights(2_000, 101, seed=4))))
    assert not np.array_equal(drawn, np.concatenate(list(poisson_weights(2_000, 101, seed=5))))


def test_a_95_percent_interval_of_accuracy_is_as_wide_as_the_binomial_says() -> None:
    """The width of the bootstrap interval is 2 x 1.96 standard errors, within a tenth."""
    (metric,), _ = with_intervals(coins(4_000, 1), ("accuracy",), resamples=2_000, confidence=0.95, seed=1)
    error = np.sqrt(metric.value * (1 - metric.value) / 4_000)
    assert metric.high - metric.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of 200 samples of 300 rows, 90% intervals of accuracy hold the true rate in 84% to 96%."""
    held = 0
    for seed in range(200):
        (metric,), _ = with_intervals(coins(300, seed), ("accuracy",), resamples=200, confidence=0.9, seed=seed)
        held += metric.low <= 0.8 <= metric.high
    assert 168 <= held <= 192


def test_every_interval_holds_its_value_and_is_the_same_each_time() -> None:
    """All metrics of two classes: low <= value <= high, equal for equal seeds."""
    names = metric_names("classification", 2)
    metrics, absent = with_intervals(coins(500, 2), names, resamples=100, confidence=0.95, seed=3)
    assert [metric.name for metric in metrics] == list(names)
    assert absent == {}
    assert all(metric.low <= metric.value <= metric.high for metric in metrics)
    assert metrics == with_intervals(coins(500, 2), names, resamples=100, confidence=0.95, seed=3)[0]


def test_undefined_metrics_are_left_out_with_what_they_need() -> None:
    """Rows of one class have no ROC AUC, and the reason says what would be needed."""
    sample = coins(50, 1)
    negative = sample.take(sample.truth == 0)
    metrics, absent = with_intervals(negative, ("roc_auc", "log_loss"), resamples=50, confidence=0.95, seed=1)
    assert [metric.name for metric in metrics] == ["log_loss"]
    assert absent == {"roc_auc": "roc_auc needs rows of both classes."}


def test_a_single_positive_row_makes_an_honest_interval() -> None:
    """Where resamples often have no positive row, the interval is wide instead of a guess."""
    scores = np.linspace(0.1, 0.9, 40)
    sample = Sample((scores == scores[30]).astype(int), scores, (scores > 0.5).astype(int), np.zeros((40, 0)), 2)
    (metric,), _ = with_intervals(sample, ("roc_auc",), resamples=200, confidence=0.95, seed=1)
    assert (metric.low, metric.high) == (0.0, 1.0)


def test_undefined_resamples_count_against_both_ends() -> None:
    """NaN is the worst on the lower and the best on the upper side."""
    resampled = np.array([0.5] * 90 + [np.nan] * 10)
    assert percentile_interval(0.5, resampled, 0.95) == (0.0, 1.0)
    assert percentile_interval(0.5, resampled, 0.5) == (0.5, 0.5)


def test_intervals_of_many_rows_come_from_a_part_and_keep_their_width() -> None:
    """Above the stated number of rows the interval is that of all rows, though only a part is resampled."""
    assert len(thinned(250_000, 1, 1)) == 200_000
    assert len(thinned(250_000, 2, 1)) == 100_000
    assert thinned(5, 1, 1).tolist() == [0, 1, 2, 3, 4]
    sample = coins(400_000, 7)
    (metric,), _ = with_intervals(sample, ("accuracy",), resamples=400, confidence=0.95, seed=1)
    error = np.sqrt(metric.value * (1 - metric.value) / 400_000)
    assert metric.value == MEASURES["accuracy"].value(sample)
    assert metric.high - metric.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_rows_of_one_day_are_drawn_together() -> None:
    """Where each of 20 days has a rate of its own, intervals hold the true rate in 84% to 98%; row by row in few."""
    held = {"by day": 0, "by row": 0}
    for seed in range(100):
        random = np.random.default_rng(seed)
        day = np.repeat(np.arange(20), 100)
        hit = np.clip(random.normal(0.7, 0.15, 20), 0, 1)[day]
        right = (random.random(len(day)) < hit).astype(int)
        for way, blocks in (("by day", day), ("by row", None)):
            sample = Sample(right, right * 0.5, np.ones(len(day), dtype=int), np.zeros((len(day), 0)), 2, blocks)
            (metric,), _ = with_intervals(sample, ("accuracy",), resamples=200, confidence=0.95, seed=seed)
            held[way] += metric.low <= 0.7 <= metric.high
    assert 84 <= held["by day"] <= 98
    assert held["by row"] < 60


def test_too_few_days_are_no_blocks() -> None:
    """Of nine days nothing can be said by the day, and a slice of a single one would have an interval of no width."""
    sample = replace(coins(900, 1), blocks=np.repeat(np.arange(9), 100))
    names = ("accuracy", "roc_auc")
    by_row = with_intervals(replace(sample, blocks=None), names, resamples=50, confidence=0.95, seed=1)
    assert with_intervals(sample, names, resamples=50, confidence=0.95, seed=1) == by_row


def test_the_interval_of_a_calibration_error_reaches_down_to_what_noise_adds() -> None:
    """Probabilities that are off by little, or by much: of 60 samples of 1,000 rows, most intervals hold the truth."""
    for shift, truth in ((0.1, 0.0186), (0.5, 0.0952)):
        held = 0
        for seed in range(60):
            random = np.random.default_rng(seed)
            raw = random.normal(-1, 1, 1_000)
            happened = (random.random(1_000) < 1 / (1 + np.exp(-raw))).astype(int)
            sample = Sample(happened, 1 / (1 + np.exp(-raw - shift)), happened, np.zeros((1_000, 0)), 2)
            (metric,), _ = with_intervals(sample, ("calibration_error",), resamples=100, confidence=0.95, seed=seed)
            held += metric.low <= truth <= metric.high
        assert held >= 50


def test_a_perfect_ranking_of_few_positives_is_not_called_certain() -> None:
    """Five positive rows above 995 others leave as much room as five hits in five, not as a thousand in a thousand."""
    truth = np.arange(1_000) >= 995
    sample = Sample(truth.astype(int), np.linspace(0, 1, 1_000), truth.astype(int), np.zeros((1_000, 0)), 2)
    auc, f1 = with_intervals(sample, ("roc_auc", "f1"), resamples=400, confidence=0.95, seed=1)[0]
    assert auc.low == f1.low == pytest.approx(0.05 ** (1 / 5))


def test_nothing_found_is_not_called_certain() -> None:
    """An F1 of 0 on ten positive rows is not known to be 0."""
    truth = np.arange(100) >= 90
    sample = Sample(truth.astype(int), np.linspace(0, 0.4, 100), np.zeros(100, dtype=int), np.zeros((100, 0)), 2)
    (metric,), _ = with_intervals(sample, ("f1",), resamples=100, confidence=0.95, seed=1)
    assert (metric.value, metric.low) == (0, 0)
    assert metric.high == pytest.approx(1 - 0.05 ** (1 / 10))


def test_a_perfect_score_on_few_rows_is_not_called_certain() -> None:
    """Thirty rows without an error leave room for about one in ten: the rule of three."""
    (metric,), _ = with_intervals(coins(30, 1, hit=1.0), ("accuracy",), resamples=100, confidence=0.95, seed=1)
    assert (metric.value, metric.high) == (1, 1)
    assert metric.low == pytest.approx(1 - 3 / 30, abs=0.01)
