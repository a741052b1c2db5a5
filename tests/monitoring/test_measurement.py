"""One window measured: read once, compared with the version in force, calibrated on the newest labels."""

from datetime import timedelta

import msgspec
import pytest

from heptad.monitoring import MonitorSettings, Window
from heptad.monitoring.measurement import Measurement
from heptad.monitoring.references import References


def measurement(endpoint, known_after=0, **settings):
    references = References(endpoint.workspace, endpoint.registry)
    known_at = endpoint.window(known_after)[1]
    return Measurement(endpoint.log, references, MonitorSettings(**settings), 7, known_at)


def estimate_of(endpoint, number, version=None):
    window = Window(*endpoint.window(number))
    found = measurement(endpoint, number).performance(window)
    return next(each for each in found if each.version == (version or endpoint.first))


def test_the_same_log_gives_the_same_report(endpoint):
    """Measured again, a window gives the same report to the last digit."""
    endpoint.week(0, version=endpoint.first)
    window = Window(*endpoint.window(0))
    reports = [measurement(endpoint).report(window, []) for _ in range(2)]
    assert msgspec.json.encode(reports[0]) == msgspec.json.encode(reports[1])


def test_estimates_are_calibrated_on_the_newest_labels(endpoint):
    """The calibration comes from earlier windows with labels, else from the held-out rows of release."""
    endpoint.week(0, version=endpoint.first)
    assert estimate_of(endpoint, 0).calibrated_until is None
    endpoint.week(1, version=endpoint.first, labels_after=None)
    endpoint.week(2, version=endpoint.first)
    assert estimate_of(endpoint, 2).calibrated_until == endpoint.window(0)[1]
    endpoint.week(3, version=endpoint.first)
    assert estimate_of(endpoint, 3).calibrated_until == endpoint.window(2)[1]


def test_stale_labels_are_not_used(endpoint):
    """Labels from longer ago than four windows no longer calibrate."""
    endpoint.week(0, version=endpoint.first)
    for number in range(1, 6):
        endpoint.week(number, version=endpoint.first, labels_after=None)
    assert estimate_of(endpoint, 4).calibrated_until == endpoint.window(0)[1]
    assert estimate_of(endpoint, 5).calibrated_until is None


def test_a_new_champion_is_calibrated_on_what_it_said_as_a_shadow(endpoint):
    """A version that was a shadow before it was promoted has labelled scores from then."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second)
    endpoint.week(1, version=second)
    assert estimate_of(endpoint, 1, second).calibrated_until == endpoint.window(0)[1]


def test_recalibration_follows_the_truth(endpoint):
    """When twice as many flights become late, the estimate of the next week knows, and that at release does not."""
    endpoint.week(0, version=endpoint.first, rows=3_000, shift=1.0)
    endpoint.week(1, version=endpoint.first, rows=3_000, shift=1.0)
    references = References(endpoint.workspace, endpoint.registry)
    reference = references.get(endpoint.first)
    references._known[endpoint.first] = msgspec.structs.replace(reference, main="log_loss")
    asked = Measurement(endpoint.log, references, MonitorSettings(), 7, endpoint.window(1)[1])
    stale, fresh = (asked.performance(Window(*endpoint.window(number)))[0] for number in (0, 1))
    measured = fresh.metrics[0].value
    assert fresh.estimated.value == pytest.approx(measured, abs=0.03)
    assert abs(stale.estimated.value - measured) > 0.08


def test_each_window_is_read_once(endpoint):
    """A report reads the log twice, for its own window and for the four before, however many versions there are."""
    second = endpoint.add_version(seed=2)
    for number in range(2):
        endpoint.week(number, version=endpoint.first, shadow=second)
    endpoint.log.reads = 0
    measurement(endpoint, 1).report(Window(*endpoint.window(1)), [])
    assert endpoint.log.reads == 2


def test_a_window_without_answers_keeps_the_reference(endpoint):
    """A quiet window is compared with the version of the report before; before any answer there is none."""
    endpoint.week(0, version=endpoint.first)
    asked = measurement(endpoint, 1)
    first = asked.report(Window(*endpoint.window(0)), [])
    quiet = asked.report(Window(*endpoint.window(1)), [first])
    assert (quiet.rows, quiet.version, quiet.reference) == (0, endpoint.first, first.reference)
    assert quiet.drift == quiet.quality == quiet.performance == []
    before = asked.report(Window(endpoint.window(0)[0] - timedelta(days=7), endpoint.window(0)[0]), [])
    assert (before.rows, before.version, before.reference) == (0, "", "")


@pytest.mark.parametrize("target", ["kind", "delay"])
def test_other_tasks_are_measured_too(endpoint_of, target):
    """Three classes and regressions get the same report; an estimate only where it would be sound."""
    endpoint = endpoint_of(target)
    endpoint.week(0, version=endpoint.first)
    report = measurement(endpoint).report(Window(*endpoint.window(0)), [])
    (live,) = report.performance
    assert live.metrics[0].name == {"kind": "accuracy", "delay": "rmse"}[target]
    assert (live.estimated is not None) == (target == "kind")
    assert not report.prediction_drift.drifted
