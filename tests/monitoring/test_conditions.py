"""What is bad enough for an alert: limits from the settings, and never by chance or on few rows."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from heptad.monitoring.conditions import conditions_of, is_lost, since_when, worst_allowed
from heptad.monitoring.records import ColumnDrift, ColumnQuality, MonitoringReport, Performance
from heptad.monitoring.settings import MonitorSettings
from heptad.training import Metric

START = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def metric(value, name="roc_auc", *, half=0.01, better="higher", rows=5_000):
    return Metric(name=name, value=value, low=value - half, high=value + half, rows=rows, better=better)


def report(week=0, *, rows=5_000, **parts):
    start = START + week * WEEK
    return MonitoringReport(
        endpoint="flights",
        start=start,
        end=start + WEEK,
        known_at=start + WEEK,
        rows=rows,
        version="flights@1",
        **parts,
    )


def holds(kind, measured, before=(), released=None, **settings):
    found = conditions_of(measured, before, released, MonitorSettings(**settings))
    return [condition.holds for condition in found if condition.kind == kind]


RELEASED = metric(0.7)


def live(*metrics, estimated=None, **more):
    return Performance(
        version="flights@1", role="live", rows=5_000, labelled=5_000, metrics=list(metrics), estimated=estimated, **more
    )


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        (metric(0.69), False),  # worse, and allowed
        (metric(0.66), True),
        (metric(0.66, half=0.05), False),  # too uncertain to say
        (metric(0.75), False),
    ],
)
def test_a_loss_is_beyond_what_is_allowed_and_beyond_chance(now, lost):
    """The limit is the value at release less what the settings allow; the interval must be clear of that value."""
    assert is_lost(now, RELEASED, 0.03) == lost


def test_errors_are_allowed_to_grow_by_a_share():
    """Errors in the target's own unit may grow by a share of themselves, probabilities' figures by an amount."""
    assert worst_allowed(metric(200.0, "rmse", better="lower"), 0.03) == pytest.approx(206)
    assert worst_allowed(metric(0.5, "log_loss", better="lower"), 0.03) == pytest.approx(0.53)
    assert is_lost(metric(210.0, "rmse", better="lower", half=1), metric(200.0, "rmse", better="lower"), 0.03)
    assert not is_lost(metric(205.0, "rmse", better="lower", half=1), metric(200.0, "rmse", better="lower"), 0.03)


def test_few_labelled_rows_cannot_be_judged():
    """A loss on fewer labelled rows than the minimum is neither there nor not there."""
    assert holds("loss", report(performance=[live(metric(0.5, rows=50))]), released=RELEASED) == [None]
    assert holds("loss", report(performance=[live(metric(0.5))]), released=RELEASED) == [True]
    assert holds("loss", report(performance=[live()]), released=RELEASED) == [None]


def test_only_the_live_version_can_lose():
    """A shadow or a canary that does badly is the business of its trial."""
    other = Performance(version="flights@2", role="shadow", rows=5_000, labelled=5_000, metrics=[metric(0.5)])
    canary = Performance(version="flights@1", role="canary", rows=5_000, labelled=5_000, metrics=[metric(0.5)])
    assert holds("loss", report(performance=[other, canary, live(metric(0.7))]), released=RELEASED) == [False]


def test_landed_labels_are_judged_before_newer_ones():
    """Losses of earlier windows come first, each with the start of its own window."""
    late = live(metric(0.5), start=START - WEEK, end=START)
    found = conditions_of(report(performance=[live(metric(0.7))], landed=[late]), [], RELEASED, MonitorSettings())
    losses = [condition for condition in found if condition.kind == "loss"]
    assert [(one.start, one.holds) for one in losses] == [(START - WEEK, True), (START, False)]


@pytest.mark.parametrize(
    ("performance", "expected"),
    [
        (live(estimated=metric(0.6), calibrated_until=START), True),
        (live(estimated=metric(0.7), calibrated_until=START), False),
        (live(estimated=metric(0.6)), None),  # calibrated at release only: stale
        (live(metric(0.7), estimated=metric(0.6), calibrated_until=START), False),  # measured: no need to guess
        (live(), None),
    ],
)
def test_estimates_count_where_nothing_was_measured_and_labels_are_recent(performance, expected):
    """An estimate that is stale or superseded by a measurement raises nothing."""
    assert holds("estimated_loss", report(performance=[performance]), released=RELEASED) == [expected]


@pytest.mark.parametrize(
    ("rows", "usual", "expected"),
    [(0, [1_000], True), (99, [900, 1_000, 1_100], True), (200, [1_000], False), (0, [50], None), (0, [], None)],
)
def test_volume_is_compared_with_the_weeks_before(rows, usual, expected):
    """Far fewer rows than usual are an alert, unless the endpoint is hardly used anyway or new."""
    before = [report(week, rows=each) for week, each in enumerate(usual)]
    assert holds("volume", report(9, rows=rows), before=before) == [expected]


def test_only_the_last_four_weeks_are_usual():
    """An endpoint that was busy long ago and is quiet now has a new usual."""
    before = [report(week, rows=100_000 if week < 4 else 300) for week in range(8)]
    assert holds("volume", report(9, rows=250), before=before) == [False]


def test_windows_of_another_length_have_another_volume():
    """A day is not compared with the weeks before it."""
    day = report(9, rows=100)
    day = replace(day, end=day.start + timedelta(days=1))
    assert holds("volume", day, before=[report(week, rows=5_000) for week in range(4)]) == [None]


def test_quality_and_drift_need_enough_rows():
    """On few rows missing values and distances are shown and not judged."""
    parts = {
        "quality": [ColumnQuality(column="temp", missing=0.4, missing_at_reference=0.1)],
        "drift": [ColumnDrift(column="temp", distance=0.9, drifted=True, sentence="x")],
        "prediction_drift": ColumnDrift(column="score", distance=0.1, drifted=False, sentence="x"),
    }
    assert [holds(kind, report(**parts)) for kind in ("quality", "drift", "prediction_drift")] == [
        [True],
        [True],
        [False],
    ]
    few = report(rows=100, **parts)
    assert [holds(kind, few) for kind in ("quality", "drift", "prediction_drift")] == [[None], [None], [None]]


def test_quality_is_judged_by_its_growth():
    """A column that was often missing in training may be so now."""
    column = ColumnQuality(column="tailnum", missing=0.45, missing_at_reference=0.4)
    assert holds("quality", report(quality=[column])) == [False]
    assert holds("quality", report(quality=[column]), missing=0.01) == [True]


def test_drift_ends_its_sentence_with_its_beginning():
    """A drifted column says since when; one that has not drifted has no beginning."""
    drifted = since_when(ColumnDrift(column="temp", distance=0.4, drifted=True, sentence="`temp` moved"), START)
    assert (drifted.since, drifted.sentence) == (START, "`temp` moved, since 2026-01-01.")
    still = since_when(ColumnDrift(column="temp", distance=0.1, drifted=False, sentence="`temp` moved"), None)
    assert (still.since, still.sentence) == (None, "`temp` moved.")
