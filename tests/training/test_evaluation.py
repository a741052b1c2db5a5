"""The parts of an evaluation each say what is true of rows whose answer is known beforehand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import NotFoundError
from heptad.data import Column, Schema
from heptad.training import MEASURES
from heptad.training.evaluation import (
    Rules,
    baseline_of,
    calibration_of,
    evaluate,
    labels_of,
    latency_of,
    matching_threshold,
    parity_of,
    slice_columns,
    slices_of,
)
from heptad.training.fitting import fit
from heptad.training.metrics import Sample
from heptad.training.model import OnnxModel, Scores
from heptad.training.records import Split
from heptad.training.splits import Parts


def schema_of(task: str = "classification", classes: tuple[str, ...] = ("no", "yes")) -> Schema:
    columns = [
        Column(name="x", type="number"),
        Column(name="side", type="category"),
        Column(name="many", type="category"),
        Column(name="open", type="boolean"),
        Column(name="y", type="category", role="target"),
    ]
    return Schema(columns=columns, task=task, classes=list(classes))  # type: ignore[arg-type]


def two_classes(truth: list[int], scores: list[float]) -> Sample:
    number = np.array(scores, dtype=float)
    return Sample(np.array(truth), number, (number >= 0.5).astype(int), np.zeros((len(truth), 0)), 2)


def test_the_trivial_classifier_answers_the_shares_of_the_training_rows() -> None:
    """Its probabilities are the shares, its class the most common one, its ROC AUC one half."""
    sample = two_classes([0, 1, 1, 0, 0], [0.1, 0.9, 0.8, 0.2, 0.3])
    baseline, name = baseline_of(pl.Series("y", ["no"] * 3 + ["yes"]), schema_of(), sample)
    assert baseline.scores.tolist() == [0.25] * 5
    assert MEASURES["accuracy"].value(baseline) == 0.6
    assert MEASURES["roc_auc"].value(baseline) == 0.5
    assert "'no'" in name


def test_the_trivial_regression_answers_the_mean_of_the_training_rows() -> None:
    """And explains nothing."""
    sample = Sample(np.array([1.0, 3.0]), np.array([1.0, 3.0]), np.zeros(2), np.zeros((2, 0)))
    baseline, name = baseline_of(pl.Series("y", [0.0, 4.0]), schema_of("regression", ()), sample)
    assert baseline.scores.tolist() == [2.0, 2.0]
    assert MEASURES["r2"].value(baseline) == 0
    assert name == "the mean"


def test_calibration_is_predicted_beside_observed() -> None:
    """Rates and counts of each bin are those of its rows; several classes have none."""
    sample = two_classes([0, 0, 0, 1] * 50, [0.25] * 200)
    (only,) = calibration_of(sample)
    assert (only.predicted, only.observed, only.rows) == (0.25, 0.25, 200)
    assert calibration_of(Sample(sample.truth, sample.scores, sample.predicted, sample.probabilities, 3)) == []


def test_slices_have_the_metric_of_their_own_rows() -> None:
    """Values in order of frequency; those with too few rows or without a defined metric are left out."""
    random = np.random.default_rng(1)
    side = ["left"] * 200 + ["right"] * 100 + ["rare"] * 10 + ["single"] * 40 + [None] * 50
    truth = np.array([0, 1] * 155 + [1] * 40 + [0, 1] * 25)
    sample = two_classes(truth.tolist(), random.random(400).tolist())
    found = slices_of(pl.DataFrame({"side": side}), ["side"], sample, "roc_auc", resamples=20, confidence=0.9, seed=1)
    assert [(one.value, one.metric.rows) for one in found] == [("left", 200), ("right", 100), ("(missing)", 50)]
    assert found[0].metric.value == MEASURES["roc_auc"].value(sample.take(np.arange(200)))


def test_slice_columns_are_those_named_or_categories_with_few_values() -> None:
    """Without settings: categories and booleans of 2 to 20 values; a wrong name is refused with the right ones."""
    frame = pl.DataFrame(
        {
            "x": np.arange(60.0),
            "side": ["left", "right"] * 30,
            "many": [f"v{number}" for number in range(60)],
            "open": [True, False] * 30,
            "y": ["no"] * 60,
        }
    )
    assert slice_columns(frame, schema_of(), []) == ["side", "open"]
    assert slice_columns(frame, schema_of(), ["many"]) == ["many"]
    with pytest.raises(NotFoundError, match="sides"):
        slice_columns(frame, schema_of(), ["sides"])


def test_parity_finds_the_largest_difference_and_every_other_class() -> None:
    """Probabilities are compared one by one; a NaN on one side is as far as can be."""
    native = Scores(["no", "yes"], np.array([0.2, 0.9]), np.array([[0.8, 0.2], [0.1, 0.9]]))
    same = parity_of(native, native)
    assert same.holds
    assert (same.rows, same.largest_difference) == (2, 0)
    other = Scores(["yes", "yes"], np.array([0.5, 0.9]), np.array([[0.5, 0.5], [0.1, 0.9]]))
    found = parity_of(other, native)
    assert not found.holds
    assert (found.differing_labels, found.largest_difference) == (1, pytest.approx(0.3))
    broken = Scores(["no", "yes"], np.array([np.nan, 0.9]), np.array([[np.nan, np.nan], [0.1, 0.9]]))
    assert not parity_of(broken, native).holds


def test_parity_of_numbers_is_relative_to_their_size() -> None:
    """A difference of one millionth of a large number is within the tolerance, of a small one it is not."""
    large = parity_of(Scores([], np.array([1e9 + 100.0])), Scores([], np.array([1e9])))
    small = parity_of(Scores([], np.array([1.00001])), Scores([], np.array([1.0])))
    tiny = parity_of(Scores([], np.array([2e-9, 0.0])), Scores([], np.array([1e-9, 0.0])))
    near_nothing = parity_of(Scores([], np.array([1.0, 1e-9])), Scores([], np.array([1.0, 0.0])))
    assert large.holds
    assert near_nothing.holds
    assert not small.holds
    assert not tiny.holds


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 200), share=st.floats(0.02, 0.98))
def test_the_threshold_answers_positive_as_often_as_is_true(seed: int, rows: int, share: float) -> None:
    """As many rows lie at or above it as are positive."""
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < share).astype(int)
    sample = two_classes(truth.tolist(), random.permutation(np.linspace(0.01, 0.99, rows)).tolist())
    threshold = matching_threshold(sample)
    assert 0 < threshold <= 1
    assert (sample.scores >= threshold).sum() == truth.sum()


def test_a_model_is_compared_with_the_trivial_one_on_the_same_rows() -> None:
    """One huge error that both make hides a gain in the two intervals apart, and not in that of the difference."""
    random = np.random.default_rng(1)
    number = random.normal(size=2_000)
    target = number + 0.8 * random.normal(size=2_000)
    target[1_500] = 300.0
    frame = pl.DataFrame({"x": number, "y": target})
    schema = Schema(
        columns=[Column(name="x", type="number"), Column(name="y", type="number", role="target")], task="regression"
    )
    train, judged = frame[:1_000], frame[1_000:]
    fitted = fit(train, schema, "linear", {}, 1)
    rules = Rules(metric="rmse", slices=[], resamples=200, confidence=0.95, seed=1)
    parts = Parts(train, judged, Split(by="hash"))
    found, _ = evaluate(fitted, OnnxModel(fitted.onnx, fitted.signature), parts, schema, rules)
    metric, trivial, gain = found.value("rmse"), found.baseline[0], found.gain
    assert metric is not None
    assert gain is not None
    assert metric.high > trivial.value
    assert gain.a_is_better
    assert gain.value == pytest.approx(metric.value - trivial.value)


def test_latency_is_measured_on_single_rows() -> None:
    """The median is at most the 99th percentile, and both are positive, also for fewer rows than asked for."""
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["no", "yes", "no", "yes"]})
    schema = Schema(
        columns=[Column(name="x", type="number"), Column(name="y", type="category", role="target")],
        task="classification",
        classes=["no", "yes"],
    )
    fitted = fit(frame, schema, "linear", {}, 1)
    median, slowest = latency_of(OnnxModel(fitted.onnx, fitted.signature), frame, 100)
    assert 0 < median <= slowest
    assert labels_of(frame, schema) == ["no", "yes", "no", "yes"]
