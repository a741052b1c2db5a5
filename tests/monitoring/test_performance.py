"""Performance by version and role: measured with intervals where labels are, estimated where that is sound."""

from datetime import timedelta

import polars as pl
import pytest
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, roc_auc_score
from tests.monitoring.conftest import answered

from heptad.monitoring.answers import read_answers
from heptad.monitoring.estimation import PERIODS, calibrate
from heptad.monitoring.performance import (
    Labels,
    Scored,
    estimated,
    measure,
    periods_of,
    report_of,
    sample_of_answers,
    split_by_version,
)
from heptad.monitoring.windows import Window


def scored_of(endpoint, number=0):
    start, end = endpoint.window(number)
    window = Window(start, end)
    answers = read_answers(endpoint.log, [window], end + timedelta(days=30))[window]
    return {(each.version, each.role): each for each in split_by_version(answers)}


def calibrated(scored, endpoint, minimum_rows):
    return calibrate(periods_of(scored, endpoint.signature, minimum_rows, PERIODS))


def figures(scored, endpoint, main):
    return {metric.name: metric for metric in measure(scored, endpoint.signature, main, seed=7)}


def test_versions_and_roles_are_apart(endpoint):
    """Live, canary and shadow rows of a window are three entries; a shadow that failed on a row lacks that row."""
    second, third = endpoint.add_version(seed=2), endpoint.add_version(seed=3)
    endpoint.week(0, version=endpoint.first, rows=900, shadow=third)
    endpoint.week(0, version=second, role="canary", rows=100, seed=5)
    lost = endpoint.log.answers[0]
    endpoint.log.answers[0] = lost.with_columns(
        shadows=pl.when(pl.int_range(pl.len()) < 10)
        .then(pl.lit([{"version": third, "score": None}], dtype=lost.schema["shadows"]))
        .otherwise("shadows")
    )
    scored = scored_of(endpoint)
    assert {key: len(each.rows) for key, each in scored.items()} == {
        (endpoint.first, "live"): 900,
        (second, "canary"): 100,
        (third, "shadow"): 890,
    }


def test_figures_are_those_that_scikit_learn_gives(endpoint):
    """The metrics of two classes agree with another implementation, the main one first, each inside its interval."""
    endpoint.week(0, version=endpoint.first)
    scored = scored_of(endpoint)[endpoint.first, "live"]
    late, score = scored.rows["truth"] == "late", scored.rows["score"]
    found = figures(scored, endpoint, "log_loss")
    assert next(iter(found)) == "log_loss"
    assert found["log_loss"].value == pytest.approx(log_loss(late, score))
    assert found["roc_auc"].value == pytest.approx(roc_auc_score(late, score))
    assert found["accuracy"].value == pytest.approx(accuracy_score(late, score >= 0.5))
    assert all(metric.low <= metric.value <= metric.high for metric in found.values())


def test_intervals_know_that_days_differ(endpoint):
    """Where the model knows much on some days and little on others, the interval is as wide as the days say."""
    days = pl.concat(answered("late", 400, 10 + day, signal=(1.5, 0.2)[day % 2]) for day in range(10))
    by_day = days.with_columns(at=endpoint.window(0)[0] + pl.int_range(pl.len()) * timedelta(minutes=2))
    widths = []
    for rows in (by_day, by_day.with_columns(pl.col("at").shuffle(seed=1))):
        scored = Scored(version=endpoint.first, role="live", rows=rows)
        (metric, *_) = measure(scored, endpoint.signature, "roc_auc", seed=7)
        widths.append(metric.high - metric.low)
    assert widths[0] > 2 * widths[1]


def test_a_shadow_is_measured_by_its_own_threshold(endpoint):
    """A shadow answers nothing, yet its accuracy is known from its scores and its threshold."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second)
    scored = scored_of(endpoint)
    live, shadow = scored[endpoint.first, "live"], scored[second, "shadow"]
    assert figures(shadow, endpoint, "roc_auc") == figures(live, endpoint, "roc_auc")


def test_many_classes_and_numbers_are_measured(endpoint_of):
    """Three classes and regressions have the metrics of their task; a shadow of three classes cannot be measured."""
    endpoint = endpoint_of("kind")
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second)
    scored = scored_of(endpoint)
    live = scored[endpoint.first, "live"]
    found = figures(live, endpoint, "accuracy")
    assert found["accuracy"].value == pytest.approx(accuracy_score(live.rows["truth"], live.rows["label"]))
    probabilities = live.rows["probabilities"].to_list()
    assert found["log_loss"].value == pytest.approx(log_loss(live.rows["truth"], probabilities))
    assert measure(scored[second, "shadow"], endpoint.signature, "accuracy", seed=7) == []


def test_a_regression_is_measured_and_never_estimated(endpoint_of):
    """Errors of a regression are measured; without labels nothing is said."""
    endpoint = endpoint_of("delay")
    endpoint.week(0, version=endpoint.first)
    live = scored_of(endpoint)[endpoint.first, "live"]
    mae = mean_absolute_error(live.rows["truth"], live.rows["score"])
    assert figures(live, endpoint, "rmse")["mae"].value == pytest.approx(mae)
    assert periods_of(live, endpoint.signature, 10, PERIODS) == []


def test_without_labels_nothing_is_measured(endpoint):
    """A window without a label has rows, no metric, and an estimate."""
    endpoint.week(0, version=endpoint.first)
    endpoint.week(1, version=endpoint.first, labels_after=None)
    before, now = (scored_of(endpoint, number)[endpoint.first, "live"] for number in (0, 1))
    labels = Labels(calibration=calibrated(before, endpoint, 200), until=endpoint.window(0)[1])
    found = report_of(now, endpoint.signature, "roc_auc", labels, 200, seed=7)
    assert (found.rows, found.labelled, found.metrics) == (1_000, 0, [])
    assert found.calibrated_until == endpoint.window(0)[1]
    measured = figures(before, endpoint, "roc_auc")["roc_auc"]
    assert found.estimated.low < measured.value < found.estimated.high


def test_accuracy_of_many_classes_is_estimated(endpoint_of):
    """The probability of the answered class tells the accuracy; other metrics of many classes are not guessed."""
    endpoint = endpoint_of("kind")
    endpoint.week(0, version=endpoint.first, rows=3_000)
    live = scored_of(endpoint)[endpoint.first, "live"]
    labels = Labels(calibration=calibrated(live, endpoint, 200), until=None)
    guess = estimated(live, endpoint.signature, "accuracy", labels, 200)
    assert guess.value == pytest.approx(figures(live, endpoint, "accuracy")["accuracy"].value, abs=0.01)
    assert estimated(live, endpoint.signature, "f1_macro", labels, 200) is None


def test_few_rows_are_not_estimated(endpoint):
    """Fewer rows than asked for give neither a period nor an estimate; more are cut into as many as they fill."""
    endpoint.week(0, version=endpoint.first, rows=100)
    live = scored_of(endpoint)[endpoint.first, "live"]
    assert periods_of(live, endpoint.signature, 200, PERIODS) == []
    assert [len(one.scores) for one in periods_of(live, endpoint.signature, 30, PERIODS)] == [34, 33, 33]
    labels = Labels(calibration=calibrated(live, endpoint, 50), until=None)
    assert estimated(live, endpoint.signature, "roc_auc", labels, 200) is None
    assert estimated(live, endpoint.signature, "roc_auc", labels, 50) is not None


def test_a_label_that_the_model_does_not_know_is_wrong(endpoint):
    """A third value among the labels of two classes counts against every answer."""
    endpoint.week(0, version=endpoint.first, rows=400)
    live = scored_of(endpoint)[endpoint.first, "live"]
    strange = live.rows.with_columns(truth=pl.lit("diverted"))
    assert (sample_of_answers(strange, endpoint.signature).truth == 2).all()
