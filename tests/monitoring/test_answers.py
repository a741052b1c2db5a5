"""The log joined with labels: known then, not known now; and the rows on which two versions are compared."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from heptad.monitoring.answers import (
    callers_of,
    count_labelled,
    inputs_of,
    latencies_of,
    live_version,
    read_answers,
    trial_rows_of,
    warnings_of,
)
from heptad.monitoring.windows import Window

DAY = timedelta(days=1)


def answers_of(endpoint, number=0, known_after=timedelta(days=30), **reading):
    start, end = endpoint.window(number)
    window = Window(start, end)
    return read_answers(endpoint.log, [window], start + known_after, **reading)[window]


def test_labels_count_only_once_they_were_known(endpoint):
    """A day after the start only that day's labels are there, all later ones are null; a month later all are."""
    endpoint.week(0, version=endpoint.first)
    early, late = answers_of(endpoint, known_after=DAY), answers_of(endpoint)
    start = endpoint.window(0)[0]
    labelled = early.filter(pl.col("truth").is_not_null())
    assert 0 < len(labelled) < len(early) == 1_000
    assert labelled["known_at"].max() <= start + DAY
    assert late["truth"].null_count() == 0


def test_rows_of_the_window_only_in_order_of_time(endpoint):
    """The row at the start belongs to the window, that at the end does not; rows come in order of time and id."""
    for number in (1, 0):
        endpoint.week(number, version=endpoint.first)
    answers = answers_of(endpoint)
    start, end = endpoint.window(0)
    assert answers["at"].min() == start
    assert answers["at"].max() < end
    assert answers["at"].is_sorted()


def test_windows_are_read_together(endpoint):
    """Two windows come apart as if each was read alone, with every column or only what tells how well they did."""
    for number in (0, 1):
        endpoint.week(number, version=endpoint.first)
    now, before = (Window(*endpoint.window(number)) for number in (1, 0))
    for whole in (True, False):
        answers = read_answers(endpoint.log, [now, before], now.end, whole=whole)
        for window in (now, before):
            assert answers[window].equals(read_answers(endpoint.log, [window], now.end, whole=whole)[window])
            assert ("inputs" in answers[window].columns) == whole


def test_labels_are_counted_by_window(endpoint):
    """Live answers of a version whose label is known by now, each in its own window, also with a gap between them."""
    second = endpoint.add_version(seed=2)
    for number in range(3):
        endpoint.week(number, version=endpoint.first, rows=100 * (number + 1))
        endpoint.week(number, version=second, rows=50, seed=5, role="canary")
    windows = [Window(*endpoint.window(number)) for number in (0, 2)]
    assert count_labelled(endpoint.log, windows, windows[1].end + timedelta(days=1), endpoint.first) == {
        windows[0]: 100,
        windows[1]: 300,
    }
    assert count_labelled(endpoint.log, windows, windows[0].start, endpoint.first) == dict.fromkeys(windows, 0)
    assert count_labelled(endpoint.log, [], windows[0].end, endpoint.first) == {}


def test_counts_and_latencies(endpoint):
    """Callers and warnings are counted, the most frequent first; latencies are quantiles that were really seen."""
    endpoint.week(0, version=endpoint.first, rows=10, caller="kiosk")
    endpoint.week(0, version=endpoint.first, rows=20, caller="web", seed=2, role="canary", warnings=["a", "b"])
    answers = answers_of(endpoint, whole=True)
    assert list(callers_of(answers).items()) == [("web", 20), ("kiosk", 10)]
    assert warnings_of(answers) == {"a": 20, "b": 20}
    p50, p99 = latencies_of(answers)
    assert {p50, p99} <= set(answers["latency_ms"])
    assert latencies_of(answers.clear()) == (None, None)


def test_the_live_version_is_the_last_that_answered(endpoint):
    """A canary's answers and earlier live ones do not make a version the live one."""
    second = endpoint.add_version(seed=2)
    assert live_version(answers_of_nothing(endpoint)) is None
    endpoint.week(0, version=endpoint.first)
    endpoint.week(0, version=second, role="canary", seed=3)
    assert live_version(answers_of(endpoint)) == endpoint.first


def answers_of_nothing(endpoint):
    endpoint.week(9, version=endpoint.first)
    return answers_of(endpoint, 5)


def test_inputs_are_those_that_the_version_takes(endpoint):
    """Inputs come in the order of the signature; one that was not logged is missing in all rows."""
    endpoint.week(0, version=endpoint.first)
    answers = answers_of(endpoint, whole=True)
    inputs = inputs_of(answers, endpoint.signature)
    assert inputs.columns == ["temp", "hour", "origin", "holiday"]
    fewer = answers.with_columns(inputs=inputs.drop("hour").to_struct())
    assert inputs_of(fewer, endpoint.signature)["hour"].null_count() == 1_000
    assert inputs_of(answers.drop("inputs"), endpoint.signature) is None


def test_a_shadow_is_compared_on_the_same_rows(endpoint):
    """Rows that champion and shadow both scored, in the order in which labels became known; others are left out."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second, shadow_noise=0.05)
    endpoint.week(0, version=endpoint.first, rows=100, seed=5, role="canary")
    answers = answers_of(endpoint)
    rows = trial_rows_of(answers, endpoint.first, second, endpoint.signature)
    assert len(rows) == 1_000
    assert not np.isnan([rows.champion, rows.challenger]).any()
    assert set(rows.outcomes) == {0.0, 1.0}
    expected = answers.filter(pl.col("shadows").list.len() > 0).sort("known_at", "id")
    assert (rows.outcomes == (expected["truth"] == "late").to_numpy()).all()
    assert (rows.champion == expected["score"].to_numpy()).all()
    assert (np.diff(rows.known_at) >= 0).all()
    assert rows.known_at[0] == expected["known_at"][0].timestamp()
    assert (rows.at == expected["at"].to_numpy()).all()


def test_a_canary_is_compared_on_its_own_rows(endpoint):
    """Beside a canary each row has the score of the side that answered it, and NaN for the other."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, rows=900)
    endpoint.week(0, version=second, role="canary", rows=100, seed=5)
    rows = trial_rows_of(answers_of(endpoint), endpoint.first, second, endpoint.signature)
    assert len(rows) == 1_000
    assert np.isnan(rows.challenger).sum() == 900
    assert (np.isnan(rows.champion) != np.isnan(rows.challenger)).all()


@pytest.mark.parametrize("role", ["shadow", "canary"])
def test_trials_of_many_classes(endpoint_of, role):
    """A shadow's probability of the answered class is compared; a canary's answers are right or wrong."""
    endpoint = endpoint_of("kind")
    second = endpoint.add_version(seed=2)
    shadow = second if role == "shadow" else ""
    endpoint.week(0, version=endpoint.first, shadow=shadow, shadow_noise=0.01)
    if role == "canary":
        endpoint.week(0, version=second, role="canary", rows=200, seed=5)
    answers = answers_of(endpoint)
    rows = trial_rows_of(answers, endpoint.first, second, endpoint.signature)
    right = answers.sort("known_at", "id").select(pl.col("truth") == pl.col("label")).to_series().to_numpy()
    assert (rows.outcomes == right).all()
    scores = np.concatenate([rows.champion, rows.challenger])
    certain = scores[~np.isnan(scores)] == 1
    assert certain.all() if role == "canary" else not certain.all()


def test_trials_of_a_regression(endpoint_of):
    """The outcomes of a regression are the numbers themselves."""
    endpoint = endpoint_of("delay")
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second, shadow_noise=1.0)
    rows = trial_rows_of(answers_of(endpoint), endpoint.first, second, endpoint.signature)
    assert np.corrcoef(rows.outcomes, rows.champion)[0, 1] > 0.9
    assert rows.smaller_side() == 1_000


def test_without_labels_there_are_no_trial_rows(endpoint):
    """Before any label is known the trial has no rows, and says so by being empty."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second, labels_after=None)
    rows = trial_rows_of(answers_of(endpoint), endpoint.first, second, endpoint.signature)
    assert (len(rows), rows.smaller_side()) == (0, 0)
