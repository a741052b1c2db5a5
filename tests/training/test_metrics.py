"""Metrics agree with scikit-learn to the last digits, with and without weights, and say when they are undefined."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from heptad.core.errors import DataError, NotFoundError
from heptad.training.metrics import (
    MEASURES,
    Sample,
    blocks_of,
    calibration_bins,
    measure_named,
    metric_names,
    sample_of,
)
from heptad.training.model import Scores
from heptad.training.records import Signature

ROUND = st.sampled_from([1, 2, 6])
SEEDS = st.integers(0, 10_000)


def binary(rows: int, seed: int, digits: int = 6) -> Sample:
    """Random rows of both classes; few digits make many ties."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    truth[:2] = [0, 1]
    scores = np.clip(random.normal(0.4 + 0.2 * truth, 0.2), 0.001, 0.999).round(digits)
    return Sample(truth, scores, (scores >= 0.5).astype(int), np.zeros((rows, 0)), 2)


def several(rows: int, seed: int, classes: int = 4) -> Sample:
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    raw = random.random((rows, classes)).round(2) + 0.05 + 0.5 * np.eye(classes)[truth]
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    return Sample(truth, probabilities.max(axis=1), predicted, probabilities, classes)


def numbers(rows: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    truth = random.normal(1000, 5, rows)
    scores = truth + random.normal(0, 2, rows)
    return Sample(truth, scores, np.zeros(rows), np.zeros((rows, 0)))


REFERENCE = {
    "roc_auc": lambda s, w: reference.roc_auc_score(s.truth, s.scores, sample_weight=w),
    "average_precision": lambda s, w: reference.average_precision_score(s.truth, s.scores, sample_weight=w),
    "log_loss": lambda s, w: reference.log_loss(s.truth, s.scores, sample_weight=w),
    "brier": lambda s, w: reference.brier_score_loss(s.truth, s.scores, sample_weight=w),
    "accuracy": lambda s, w: reference.accuracy_score(s.truth, s.predicted, sample_weight=w),
    "f1": lambda s, w: reference.f1_score(s.truth, s.predicted, sample_weight=w),
}
REFERENCE_SEVERAL = {
    "log_loss": lambda s, w: reference.log_loss(s.truth, s.probabilities, sample_weight=w),
    "accuracy": lambda s, w: reference.accuracy_score(s.truth, s.predicted, sample_weight=w),
    "f1_macro": lambda s, w: reference.f1_score(s.truth, s.predicted, average="macro", sample_weight=w),
    "roc_auc_ovr": lambda s, w: reference.roc_auc_score(s.truth, s.probabilities, multi_class="ovr", sample_weight=w),
}
REFERENCE_NUMBERS = {
    "rmse": lambda s, w: reference.root_mean_squared_error(s.truth, s.scores, sample_weight=w),
    "mae": lambda s, w: reference.mean_absolute_error(s.truth, s.scores, sample_weight=w),
    "r2": lambda s, w: reference.r2_score(s.truth, s.scores, sample_weight=w),
}


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(5, 300), seed=SEEDS, digits=ROUND)
def test_metrics_of_two_classes_are_those_of_scikit_learn(rows: int, seed: int, digits: int) -> None:
    """Each metric of two classes equals scikit-learn's, ties included."""
    sample = binary(rows, seed, digits)
    sample = Sample(sample.truth, np.clip(sample.scores, 0.001, 0.999), sample.predicted, sample.probabilities, 2)
    for name, expected in REFERENCE.items():
        if name == "f1" and not (sample.truth | sample.predicted).any():
            continue
        assert MEASURES[name].value(sample) == pytest.approx(expected(sample, None), abs=1e-12), name


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(8, 200), seed=SEEDS)
def test_metrics_of_several_classes_and_of_numbers_are_those_of_scikit_learn(rows: int, seed: int) -> None:
    """Each metric of several classes and of regression equals scikit-learn's."""
    for name, expected in REFERENCE_SEVERAL.items():
        assert MEASURES[name].value(several(rows, seed)) == pytest.approx(expected(several(rows, seed), None)), name
    sample = numbers(rows, seed)
    for name, expected in REFERENCE_NUMBERS.items():
        assert MEASURES[name].value(sample) == pytest.approx(expected(sample, None)), name
    assert MEASURES["median_error"].value(sample) == pytest.approx(np.median(np.abs(sample.truth - sample.scores)))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(8, 120), seed=SEEDS)
def test_whole_weights_stand_for_repeated_rows(rows: int, seed: int) -> None:
    """Scoring with whole-number weights gives what scoring the repeated rows gives, for every metric."""
    counts = np.random.default_rng(seed).integers(1, 4, rows)
    for sample in (binary(rows, seed, 1), several(rows, seed), numbers(rows, seed)):
        repeated = sample.take(np.repeat(np.arange(rows), counts))
        for name in metric_names("classification" if sample.classes else "regression", sample.classes):
            if name == "calibration_error":
                continue  # its bins are those of the sample it was prepared for
            measure = MEASURES[name]
            weighted = measure.prepare(sample)(counts[None, :].astype(float))[0]
            assert weighted == pytest.approx(measure.value(repeated)), name


def test_the_order_of_rows_changes_nothing() -> None:
    """Shuffled rows have the same metrics."""
    for sample in (binary(500, 1, 1), several(500, 1), numbers(500, 1)):
        shuffled = sample.take(np.random.default_rng(2).permutation(len(sample)))
        for name in metric_names("classification" if sample.classes else "regression", sample.classes):
            assert MEASURES[name].value(shuffled) == pytest.approx(MEASURES[name].value(sample), abs=1e-12), name


def test_a_metric_without_a_value_is_none_and_says_what_it_needs() -> None:
    """One class, no rows, and a constant truth give None instead of a number or a warning."""
    one_class = Sample(np.zeros(4, int), np.linspace(0.1, 0.4, 4), np.zeros(4, int), np.zeros((4, 0)), 2)
    assert MEASURES["roc_auc"].value(one_class) is None
    assert "both classes" in MEASURES["roc_auc"].needs
    assert MEASURES["average_precision"].value(one_class) is None
    assert MEASURES["f1"].value(one_class) is None
    assert MEASURES["log_loss"].value(one_class) == pytest.approx(-np.log(1 - one_class.scores).mean())
    constant = Sample(np.ones(3), np.array([1.0, 2, 3]), np.zeros(3), np.zeros((3, 0)))
    assert MEASURES["r2"].value(constant) is None
    nothing = one_class.take(np.zeros(0, dtype=int))
    assert {measure.value(nothing) for measure in MEASURES.values()} == {None}


def test_a_class_that_the_model_does_not_know_counts_as_wrong() -> None:
    """A judged label outside of the classes is an error with the largest loss, not a crash."""
    sample = several(60, 3)
    truth = sample.truth.copy()
    truth[0] = 4
    stranger = Sample(truth, sample.scores, sample.predicted, sample.probabilities, 4)
    known = sample.take(np.arange(1, 60))
    hits = MEASURES["accuracy"].value(known)
    assert hits is not None
    assert MEASURES["accuracy"].value(stranger) == pytest.approx(hits * 59 / 60)
    loss, known_loss = MEASURES["log_loss"].value(stranger), MEASURES["log_loss"].value(known)
    assert loss is not None
    assert known_loss is not None
    assert loss == pytest.approx((known_loss * 59 - np.log(1e-15)) / 60)


def test_calibration_error_sees_what_is_miscalibrated() -> None:
    """Scores that are true rates have next to no calibration error; the same scores squeezed have a known one."""
    random = np.random.default_rng(5)
    rates = random.uniform(0.05, 0.95, 100_000)
    truth = (random.random(len(rates)) < rates).astype(int)
    good = Sample(truth, rates, truth, np.zeros((len(rates), 0)), 2)
    shifted = Sample(truth, np.clip(rates - 0.05, 0, 1), truth, np.zeros((len(rates), 0)), 2)
    error, worse = MEASURES["calibration_error"].value(good), MEASURES["calibration_error"].value(shifted)
    assert error is not None
    assert error < 0.006
    assert worse == pytest.approx(0.05, abs=0.006)


def test_calibration_bins_hold_equally_many_rows_and_never_part_equal_scores() -> None:
    """Ten bins of equal size for distinct scores; as many bins as there are scores where these are few."""
    assert np.bincount(calibration_bins(np.random.default_rng(1).random(1000))).tolist() == pytest.approx(
        [100] * 10, abs=1
    )
    few = np.repeat([0.1, 0.2, 0.7], [50, 30, 20])
    assert np.bincount(calibration_bins(few)).tolist() == [50, 30, 20]
    assert calibration_bins(np.full(5, 0.3)).tolist() == [0] * 5


def test_scores_that_are_no_numbers_are_refused() -> None:
    """NaN sorts as the highest score of all, so a model that answers it for every positive row would be perfect."""
    target = Signature(inputs=[], task="classification", target="y", classes=["no", "yes"])
    scores = Scores(labels=["no", "no"], scores=np.array([0.2, np.nan]))
    with pytest.raises(DataError, match="1 of 2 rows"):
        sample_of(target, ["no", "yes"], scores)


@given(st.lists(st.datetimes(), max_size=50))
def test_rows_of_a_stretch_of_time_are_a_block(moments: list[datetime]) -> None:
    """At most twenty blocks, in the order of time, and rows of one moment are in one."""
    times = np.array(moments, dtype="datetime64[us]")
    blocks = blocks_of(times)
    order = np.argsort(times, kind="stable")
    assert (np.diff(blocks[order]) >= 0).all()
    assert all(0 <= block < 20 for block in blocks)
    assert len(set(zip(times.tolist(), blocks.tolist(), strict=True))) == len(set(times.tolist()))


def test_unknown_metrics_are_refused_with_the_names_that_fit() -> None:
    """A metric of another task is refused, and the message lists the right ones."""
    assert measure_named("", "classification", 2) is MEASURES["roc_auc"]
    with pytest.raises(NotFoundError, match="log_loss"):
        measure_named("rmse", "classification", 3)


def test_breast_cancer_scores_what_it_is_known_for() -> None:
    """A scaled logistic regression on the breast cancer set reaches the ROC AUC that the set is known for."""
    from heptad.data import Column, Schema

    data = load_breast_cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[::2], data.target[::2])
    labels = [str(value) for value in data.target[1::2]]
    probabilities = model.predict_proba(data.data[1::2])
    scores = Scores(
        labels=["1" if row[1] >= 0.5 else "0" for row in probabilities],
        scores=probabilities[:, 1],
        probabilities=probabilities,
    )
    schema = Schema(
        columns=[Column(name="y", type="category", role="target")], task="classification", classes=["0", "1"]
    )
    value = MEASURES["roc_auc"].value(sample_of(schema, labels, scores))
    assert value == pytest.approx(reference.roc_auc_score(data.target[1::2], probabilities[:, 1]), abs=1e-12)
    assert value is not None
    assert value > 0.98
