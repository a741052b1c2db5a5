"""Paired differences: what two models share cancels, what they do not is found."""

from dataclasses import replace

import numpy as np
import pytest

from heptad.core.errors import DataError
from heptad.training.comparison import difference
from heptad.training.metrics import MEASURES, Sample


def pair(rows: int, seed: int, edge: float) -> tuple[Sample, Sample]:
    """Two models on the same rows: the first is the second with `edge` more signal in it."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    noise = random.normal(0, 0.15, rows)
    made = []
    for signal in (0.1 + edge, 0.1):
        scores = np.clip(0.5 + signal * (2 * truth - 1) + noise, 0.001, 0.999)
        made.append(Sample(truth, scores, (scores >= 0.5).astype(int), np.zeros((rows, 0)), 2))
    return made[0], made[1]


def test_the_difference_is_that_of_the_two_values_and_has_a_sign() -> None:
    """The metric of the first minus that of the second; turned round, everything changes its sign."""
    a, b = pair(2_000, 1, 0.05)
    found, turned = difference(a, b, "log_loss", seed=1), difference(b, a, "log_loss", seed=1)
    assert found.value == pytest.approx(MEASURES["log_loss"].value(a) - MEASURES["log_loss"].value(b))  # type: ignore[operator]
    assert (found.value, found.low, found.high) == pytest.approx((-turned.value, -turned.high, -turned.low))
    assert found.a_is_better
    assert not turned.a_is_better


def test_a_small_edge_on_shared_rows_is_found() -> None:
    """An edge that the two separate intervals would hide shows in the paired one."""
    a, b = pair(3_000, 2, 0.01)
    assert difference(a, b, "roc_auc", seed=3).a_is_better


def test_equal_models_do_not_differ() -> None:
    """A model beside itself has a difference of exactly nothing."""
    a, _ = pair(500, 4, 0.0)
    found = difference(a, a, "roc_auc", seed=1)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert not found.a_is_better


def test_two_models_without_an_edge_are_seldom_told_apart() -> None:
    """Of 60 pairs that are equally good, at most a tenth is called different at 95%."""
    called = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 2, 400)
        made = []
        for _ in range(2):
            scores = np.clip(0.5 + 0.1 * (2 * truth - 1) + random.normal(0, 0.15, 400), 0.001, 0.999)
            made.append(Sample(truth, scores, (scores >= 0.5).astype(int), np.zeros((400, 0)), 2))
        found = difference(made[0], made[1], "roc_auc", seed=seed, resamples=200)
        called += found.low > 0 or found.high < 0
    assert called <= 6


def test_days_that_differ_widen_the_difference() -> None:
    """Two models, each better on every second day by as much, are not told apart by thousands of rows a day."""
    random = np.random.default_rng(7)
    day = np.repeat(np.arange(20), 200)
    truth = random.normal(size=len(day))
    errors = np.where(day % 2 == 0, 1.0, 1.3) + 0.01 * (day == 0)
    made = [
        Sample(truth, truth + random.normal(size=len(day)) * scale, truth * 0, np.zeros((len(day), 0)), blocks=day)
        for scale in (errors, 2.31 - errors)
    ]
    by_day = difference(made[0], made[1], "rmse", seed=1)
    by_row = difference(*(replace(one, blocks=None) for one in made), "rmse", seed=1)
    assert by_day.value == by_row.value
    assert by_day.high - by_day.low > 2 * (by_row.high - by_row.low)
    assert by_day.low < 0 < by_day.high


def test_other_rows_and_undefined_metrics_are_refused() -> None:
    """Models that were scored on different rows cannot be compared, nor by a metric that has no value."""
    a, b = pair(100, 1, 0.0)
    with pytest.raises(DataError, match="same rows"):
        difference(a, b.take(np.arange(99)), "roc_auc", seed=1)
    negative = a.truth == 0
    with pytest.raises(DataError, match="undefined"):
        difference(a.take(negative), b.take(negative), "roc_auc", seed=1)
