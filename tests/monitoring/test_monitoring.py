"""Reports of windows: made once, compared with the right version, and alarming exactly once."""

from datetime import timedelta

import polars as pl
import pytest
from msgspec.structs import replace

from heptad.core.errors import InputError, NotFoundError
from heptad.core.settings import ProjectSettings
from heptad.monitoring import MonitorSettings, Window
from heptad.monitoring.measurement import Measurement
from heptad.monitoring.references import References
from heptad.serving import DeploySettings, Serving
from heptad.serving.delta_log import DeltaLog

WARM = {"temp": 63.0}
DAY = timedelta(days=1)
WEEK = 7 * DAY


def raised(report):
    return {(alert.kind, alert.column) for alert in report.body.alerts}


def events(workspace, kind):
    return [event for event in workspace.store.follow(0, [kind]) if event.kind == kind]


def test_a_quiet_week_has_figures_and_no_alert(endpoint):
    """A week like the training rows is reported with all its figures, and raises nothing."""
    endpoint.week(0, version=endpoint.first, caller="kiosk", warnings=["origin: a value that training never saw"])
    report = endpoint.report(0)
    body = report.body
    assert (body.rows, body.version, body.callers) == (1_000, "flights@1", {"kiosk": 1_000})
    assert body.warnings == {"origin: a value that training never saw": 1_000}
    assert body.alerts == body.ongoing == []
    assert {each.column for each in body.drift} == {"temp", "hour", "origin", "holiday"}
    assert [each.column for each in body.quality] == ["temp", "hour", "origin", "holiday"]
    assert body.prediction_drift.distance < 0.05
    assert 0.5 < body.latency_p50_ms < body.latency_p99_ms <= 2.0
    (live,) = body.performance
    assert 900 < live.labelled < 1_000, "labels of the last hours are not known yet"
    assert live.metrics[0].name == "roc_auc"
    links = endpoint.workspace.store.trace([report.id], "out")
    assert [(link.role, link.target) for link in links] == [("version", body.reference)]


def test_asked_again_the_same_report_is_answered(endpoint):
    """A window has one report, one event, and one event an alert, however often it is asked for and by whom."""
    endpoint.week(0, version=endpoint.first, **WARM)
    first = endpoint.report(0)
    endpoint.week(0, version=endpoint.first, seed=5, caller="late")
    assert endpoint.report(0) == first
    assert len(events(endpoint.workspace, "monitoring.reported")) == 1
    (event,) = events(endpoint.workspace, "monitoring.alert_raised")
    assert event.subject == first.id
    assert event.body["id"] == first.body.alerts[0].id


def test_an_ongoing_drift_is_one_alert_since_its_first_week(endpoint):
    """A summer is one alert: raised in its first week, ongoing in the others, gone afterwards."""
    weeks = [{}, WARM, WARM, WARM, {}]
    for number, inputs in enumerate(weeks):
        endpoint.week(number, version=endpoint.first, **inputs)
    reports = [endpoint.report(number).body for number in range(len(weeks))]
    assert [len(report.alerts) for report in reports] == [0, 1, 0, 0, 0]
    assert [len(report.ongoing) for report in reports] == [0, 0, 1, 1, 0]
    (alert,) = reports[1].alerts
    began = endpoint.window(1)[0]
    assert reports[3].ongoing[0].id == alert.id
    assert alert.since == began
    assert alert.sentence.startswith("`temp` moved by PSI ")
    assert alert.sentence.endswith(f"since {began:%Y-%m-%d}.")
    drift = next(each for each in reports[3].drift if each.column == "temp")
    assert (drift.since, drift.drifted) == (began, True)
    assert drift.sentence.endswith(f"since {began:%Y-%m-%d}.")


def test_a_new_champion_starts_afresh(endpoint):
    """After a promotion the same drift is another alert, about the new version, since its own first week."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, **WARM)
    endpoint.week(1, version=second, **WARM)
    before, after = endpoint.report(0).body, endpoint.report(1).body
    assert before.reference != after.reference
    assert after.ongoing == []
    assert after.alerts[0].id != before.alerts[0].id
    assert after.alerts[0].since == endpoint.window(1)[0]


def test_small_windows_are_reported_and_raise_nothing(endpoint):
    """Fewer rows than the minimum are measured; they neither raise an alert nor end one."""
    endpoint.week(0, version=endpoint.first, **WARM)
    endpoint.week(1, version=endpoint.first, rows=150)
    endpoint.week(2, version=endpoint.first, **WARM)
    reports = [endpoint.report(number, minimum_rows=200).body for number in range(3)]
    assert reports[1].rows == 150
    assert [alert.id for alert in reports[1].ongoing] == [reports[0].alerts[0].id]
    assert reports[2].alerts == []


def test_missing_values_are_an_alert(endpoint):
    """A column whose missing values grow by more than the settings allow is named, with both shares."""
    endpoint.week(0, version=endpoint.first, missing=0.3)
    report = endpoint.report(0)
    alert = next(alert for alert in report.body.alerts if alert.kind == "quality")
    assert alert.column == "temp"
    assert "0.0% in training" in alert.sentence
    assert 0.25 < alert.value < 0.35


def test_loss_is_an_alert_where_it_is_beyond_chance(endpoint):
    """A model that has lost half of its knowledge is an alert; one on a bad week with few labels is not."""
    endpoint.week(0, version=endpoint.first, rows=4_000, signal=0.4)
    alert = next(alert for alert in endpoint.report(0).body.alerts if alert.kind == "loss")
    assert "roc_auc fell to 0.6" in alert.sentence
    assert "0.74 at release" in alert.sentence
    assert alert.value < alert.limit == pytest.approx(0.71)


def test_labels_that_land_late_are_reported_when_they_do(endpoint):
    """With labels ten days late, a week's own report has none, and the next one carries its figures, once."""
    for number in range(4):
        endpoint.week(
            number, version=endpoint.first, signal=0.3 if number == 0 else 1.0, labels_after=10 * DAY, rows=2_000
        )
    reports = [endpoint.report(number).body for number in range(4)]
    assert [report.performance[0].labelled > 200 for report in reports] == [False] * 4
    landed = [[each.start for each in report.landed] for report in reports]
    assert landed == [[], *([endpoint.window(number)[0]] for number in range(3))]
    losses = [alert for report in reports for alert in report.alerts if alert.kind == "loss"]
    assert [alert.since for alert in losses] == [endpoint.window(0)[0]]


def test_a_loss_that_landed_late_and_has_passed_is_over(endpoint):
    """Raised and ended in one report, it does not stay open where nothing can be judged, and may begin again."""
    bad, good = {"rows": 2_000, "signal": 0.3}, {"rows": 2_000}
    endpoint.week(0, version=endpoint.first, labels_after=8 * DAY, **bad)
    endpoint.week(1, version=endpoint.first, **good)
    endpoint.week(2, version=endpoint.first, labels_after=None, **good)
    endpoint.week(3, version=endpoint.first, **bad)
    reports = [endpoint.report(number).body for number in range(4)]
    losses = [[alert for alert in report.alerts if alert.kind == "loss"] for report in reports]
    assert [[(alert.since, alert.over) for alert in raised] for raised in losses] == [
        [],
        [(endpoint.window(0)[0], True)],
        [],
        [(endpoint.window(3)[0], False)],
    ]
    opened = [[alert.kind for alert in report.open_alerts()] for report in reports]
    assert [kinds.count("loss") for kinds in opened] == [0, 0, 0, 1]


def test_labels_that_take_many_windows_are_reported_all_the_same(endpoint):
    """Short windows and labels long after them: each window's figures come once, in the report of their landing."""
    for number in range(22):
        endpoint.week(number, version=endpoint.first, rows=250, labels_after=19 * WEEK, log_inputs=False)
    reports = [endpoint.report(number).body for number in range(22)]
    landed = [[each.start for each in report.landed] for report in reports]
    assert landed == [[]] * 19 + [[endpoint.window(number)[0]] for number in range(3)]


def test_an_estimate_without_labels_raises_its_own_alert_and_a_measurement_ends_it(endpoint):
    """Where labels stop coming and scores lose their spread, the estimate warns; it is never taken for a loss."""
    endpoint.week(0, version=endpoint.first, rows=4_000)
    endpoint.week(1, version=endpoint.first, rows=4_000, signal=0.3, labels_after=None)
    endpoint.week(2, version=endpoint.first, rows=4_000)
    first, second, third = (endpoint.report(number).body for number in range(3))
    assert first.alerts == []
    assert ("estimated_loss", "") in {(alert.kind, alert.column) for alert in second.alerts}
    assert "loss" not in {alert.kind for alert in second.alerts}
    assert "estimated without labels" in next(a for a in second.alerts if a.kind == "estimated_loss").sentence
    assert "estimated_loss" not in {alert.kind for alert in third.ongoing}


def test_traffic_that_stops_is_an_alert(endpoint):
    """A week without a row after busy weeks is reported with nothing measured, and an alert about the volume."""
    for number in range(2):
        endpoint.week(number, version=endpoint.first)
        endpoint.report(number)
    report = endpoint.report(2)
    assert (report.body.rows, report.body.version, report.body.performance) == (0, "flights@1", [])
    assert raised(report) == {("volume", "")}
    assert "1,000 are usual" in report.body.alerts[0].sentence


def test_traffic_that_comes_back_ends_the_alert(endpoint):
    """After a silence that has become usual, the first busy week is not an ongoing lack of traffic."""
    for number in (0, 1, 5):
        endpoint.week(number, version=endpoint.first)
    reports = [endpoint.report(number).body for number in range(6)]
    opened = ["volume" in {alert.kind for alert in report.open_alerts()} for report in reports]
    assert opened == [False, False, True, True, True, False]


def test_latency_raises_an_alert_only_where_it_was_asked_for(endpoint):
    """Latency is an observation, and alarms only with a limit in the settings."""
    endpoint.week(0, version=endpoint.first)
    endpoint.week(1, version=endpoint.first)
    assert raised(endpoint.report(0)) == set()
    assert raised(endpoint.report(1, latency_p99_ms=1.5)) == {("latency", "")}


def test_inputs_need_not_be_logged(endpoint):
    """Without logged inputs there is no drift of columns, and all else is measured."""
    endpoint.week(0, version=endpoint.first, log_inputs=False)
    body = endpoint.report(0).body
    assert body.drift == body.quality == []
    assert body.prediction_drift is not None
    assert body.performance[0].metrics


def test_windows_are_due_from_the_first_deployment_on(endpoint, clock):
    """Windows begin when the endpoint was first deployed; they are due once they are over, oldest first."""
    monitoring = endpoint.monitoring()
    assert monitoring.due(clock.now()) == []
    endpoint.deploy()
    start, end = endpoint.window(0)
    assert monitoring.due(end - DAY) == []
    assert monitoring.due(end) == [Window(start, end)]
    clock.advance_to(endpoint.window(2)[1])
    endpoint.deploy()
    assert monitoring.due(clock.now()) == [Window(*endpoint.window(number)) for number in range(3)]
    endpoint.week(0, version=endpoint.first)
    endpoint.report(1)
    assert monitoring.due(clock.now()) == [Window(*endpoint.window(2))]


def test_a_new_length_of_windows_begins_where_the_old_one_ended(endpoint):
    """After `[monitor] window` was changed, what was reported is not reported again, and nothing is left out."""
    endpoint.deploy()
    for number in range(3):
        endpoint.week(number, version=endpoint.first)
        endpoint.report(number)
    (_, done), now = endpoint.window(2), endpoint.window(3)[1]
    days = endpoint.monitoring(window="1d").due(now)
    assert [(one.start, one.length) for one in days] == [(done + number * DAY, DAY) for number in range(7)]
    assert endpoint.monitoring(window="14d").due(now) == [Window(endpoint.window(2)[0], now)]


def test_a_report_that_somebody_asked_for_hides_no_window(endpoint):
    """A day that was looked at by hand is no week: the weeks around it stay due."""
    endpoint.deploy()
    endpoint.week(0, version=endpoint.first)
    _, end = endpoint.window(1)
    endpoint.monitoring().report(end - DAY, end, known_at=end)
    assert endpoint.monitoring().due(end) == [Window(*endpoint.window(number)) for number in (0, 1)]


def test_reports_and_alerts_are_found(endpoint):
    """Reports by id or as the latest, newest window first; alerts by id, with the report that raised them."""
    monitoring = endpoint.monitoring()
    with pytest.raises(NotFoundError, match="latest"):
        monitoring.show("latest")
    assert monitoring.alerts() == []
    for number in (1, 0, 2):
        endpoint.week(number, version=endpoint.first, **WARM)
    reports = [endpoint.report(number) for number in (0, 1, 2)]
    assert [one.id for one in monitoring.list()] == [one.id for one in reversed(reports)]
    assert monitoring.show("latest") == monitoring.show(reports[2].id) == reports[2]
    (alert,) = monitoring.alerts()
    first, report = monitoring.alert(alert.id)
    assert (first, report) == (reports[0].body.alerts[0], reports[0])
    with pytest.raises(NotFoundError, match="alert-nothing"):
        monitoring.alert("alert-nothing")


def test_performance_is_measured_without_a_report(endpoint):
    """Figures of any span by what was known at any moment, for each version and role, and nothing is written."""
    second = endpoint.add_version(seed=2)
    endpoint.week(0, version=endpoint.first, shadow=second)
    start, end = endpoint.window(0)
    early = endpoint.monitoring().performance(start, end, known_at=start + DAY)
    late = endpoint.monitoring().performance(start, end, known_at=end + DAY)
    assert [(each.version, each.role) for each in late] == [(endpoint.first, "live"), (second, "shadow")]
    assert early[0].labelled < late[0].labelled == 1_000
    assert endpoint.monitoring().list() == []


def test_impossible_windows_and_unknown_versions_are_refused(endpoint):
    """A window that is empty or not over, and a version that nobody registered, are errors that write nothing."""
    start, end = endpoint.window(0)
    with pytest.raises(InputError, match="is empty"):
        endpoint.monitoring().report(end, start)
    with pytest.raises(InputError, match="is not over"):
        endpoint.monitoring().report(start, end, known_at=end - DAY)
    endpoint.week(0, version="flights@9")
    with pytest.raises(NotFoundError, match="flights@9"):
        endpoint.report(0)
    assert endpoint.monitoring().list() == []


def test_the_real_tables_give_the_same_report(endpoint):
    """Read through serving's own front door and Delta tables, a week's report is that of the frames in memory."""
    second = endpoint.add_version(seed=2)
    for number in range(2):
        endpoint.week(number, version=endpoint.first, shadow=second, missing=0.2, warnings=["w"])
    serving = Serving(endpoint.workspace, ProjectSettings(name="flights"), DeploySettings(), endpoint.registry)
    assert serving.endpoint == endpoint.workspace.name
    table = DeltaLog(endpoint.workspace.tables / "predictions")
    for answers in endpoint.log.answers:
        inputs = answers["inputs"].struct.unnest().rename(lambda name: f"input_{name}")
        rows = answers.drop("inputs").hstack(inputs)
        table.append(rows.with_columns(endpoint=pl.lit("flights"), generation=pl.lit(1), layout=pl.lit("[]")))
    for labels in endpoint.log.known[1:]:
        serving.add_labels(labels)
    window = Window(*endpoint.window(1))
    references = References(endpoint.workspace, endpoint.registry)
    reports = [
        Measurement(source, references, MonitorSettings(), 7, window.end).report(window, [])
        for source in (serving, endpoint.log)
    ]
    assert replace(reports[0], endpoint="flights") == reports[1]
    assert reports[0].performance[1].role == "shadow"
    assert reports[0].performance[0].calibrated_until == window.start
