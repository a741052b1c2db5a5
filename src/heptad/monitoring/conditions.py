"""Which of what was measured in a window is bad enough for an alert, by the settings."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from heptad.monitoring.alerts import Condition
from heptad.monitoring.records import AlertKind, ColumnDrift, ColumnQuality, MonitoringReport, Performance
from heptad.monitoring.settings import MonitorSettings
from heptad.training import Metric

IN_ITS_OWN_UNIT = frozenset({"rmse", "mae", "median_error"})
"""Metrics whose allowed loss is a share of the value at release: their size depends on what is predicted."""
_BEYOND = 1.75


def conditions_of(
    report: MonitoringReport, before: Sequence[MonitoringReport], metric: Metric | None, settings: MonitorSettings
) -> list[Condition]:
    """Everything that is judged of a report, in a fixed order; `metric` is the version's main one at release.

    `before` are reports of earlier windows. Where labels of earlier windows have landed, their losses come first, so
    that they are followed in order of time.
    """
    found = [_volume(report, before, settings), _latency(report, settings)]
    found += [_drift(each, "drift", report, settings) for each in sorted(report.drift, key=lambda each: each.column)]
    if report.prediction_drift is not None:
        found.append(_drift(report.prediction_drift, "prediction_drift", report, settings))
    found += [_quality(each, report, settings) for each in report.quality]
    if metric is not None:
        measured = [*report.landed, *(each for each in report.performance if _answers(each, report))]
        found += [_loss(each, metric, report, settings) for each in measured]
        found += [_estimated_loss(each, metric, report, settings) for each in measured[len(report.landed) :]]
    return found


def worst_allowed(metric: Metric, loss: float) -> float:
    """The value at release, made worse by as much as the settings allow."""
    by = loss * metric.value if metric.name in IN_ITS_OWN_UNIT else loss
    return metric.value - by if metric.better == "higher" else metric.value + by


def is_lost(now: Metric, released: Metric, loss: float) -> bool:
    """Whether a value is worse than allowed, and worse than at release by more than chance.

    Chance is one and three quarters of the half of the 95% interval that lies towards the value at release: about
    three standard deviations, as far as twenty stretches of a window tell them. One window in some hundreds is farther
    off by itself, where one in forty would be by the interval alone. It is what keeps windows whose values scatter
    from raising alarms: of 39 weeks of flights it calls 5 a loss, 3 of them in September, when scores fell from 0.76
    to 0.62; with intervals that take rows for independent it were 19.
    """
    limit = worst_allowed(released, loss)
    if released.better == "higher":
        return now.value < limit and now.value + _BEYOND * (now.high - now.value) < released.value
    return now.value > limit and now.value - _BEYOND * (now.value - now.low) > released.value


def _answers(performance: Performance, report: MonitoringReport) -> bool:
    return performance.role == "live" and performance.version == report.version


def _volume(report: MonitoringReport, before: Sequence[MonitoringReport], settings: MonitorSettings) -> Condition:
    alike = [each for each in before if each.end - each.start == report.end - report.start]
    latest = sorted(alike, key=lambda each: each.end)[-4:]
    usual = median(each.rows for each in latest) if latest else 0
    limit = usual * settings.volume
    return Condition(
        kind="volume",
        # A window that is busy itself is fine, also after others whose silence has become usual.
        holds=report.rows < limit
        if usual >= settings.minimum_rows
        else False
        if _is_enough(report, settings)
        else None,
        value=report.rows,
        limit=limit,
        start=report.start,
        sentence=f"only {report.rows:,} rows were asked about, where {usual:,.0f} are usual",
    )


def _latency(report: MonitoringReport, settings: MonitorSettings) -> Condition:
    judged = settings.latency_p99_ms > 0 and report.latency_p99_ms is not None and _is_enough(report, settings)
    value = report.latency_p99_ms or 0.0
    return Condition(
        kind="latency",
        holds=value > settings.latency_p99_ms if judged else None,
        value=value,
        limit=settings.latency_p99_ms,
        start=report.start,
        sentence=f"one answer in a hundred took longer than {value:.3g} ms, {settings.latency_p99_ms:g} are allowed",
    )


def _drift(drift: ColumnDrift, kind: AlertKind, report: MonitoringReport, settings: MonitorSettings) -> Condition:
    return Condition(
        kind=kind,
        column=drift.column if kind == "drift" else "",
        holds=drift.drifted if _is_enough(report, settings) else None,
        value=drift.distance,
        limit=settings.drift,
        start=report.start,
        sentence=drift.sentence,
    )


def _quality(quality: ColumnQuality, report: MonitoringReport, settings: MonitorSettings) -> Condition:
    limit = quality.missing_at_reference + settings.missing
    return Condition(
        kind="quality",
        column=quality.column,
        holds=quality.missing > limit if _is_enough(report, settings) else None,
        value=quality.missing,
        limit=limit,
        start=report.start,
        sentence=(
            f"`{quality.column}` is missing in {quality.missing:.1%} of rows, "
            f"{quality.missing_at_reference:.1%} in training"
        ),
    )


def _loss(performance: Performance, released: Metric, report: MonitoringReport, settings: MonitorSettings) -> Condition:
    now = next((metric for metric in performance.metrics if metric.name == released.name), None)
    judged = now is not None and now.rows >= settings.minimum_rows
    return Condition(
        kind="loss",
        holds=is_lost(now, released, settings.loss) if now is not None and judged else None,
        value=now.value if now else 0.0,
        limit=worst_allowed(released, settings.loss),
        start=performance.start or report.start,
        sentence=_in_words(now, released, "labelled rows") if now else "",
    )


def _estimated_loss(
    performance: Performance, released: Metric, report: MonitoringReport, settings: MonitorSettings
) -> Condition:
    """Judged only where nothing was measured and the estimate knows recent labels; a measurement ends the alert."""
    measured = any(metric.rows >= settings.minimum_rows for metric in performance.metrics)
    guess = performance.estimated
    fresh = guess is not None and performance.calibrated_until is not None
    return Condition(
        kind="estimated_loss",
        holds=False if measured else is_lost(guess, released, settings.loss) if guess is not None and fresh else None,
        value=guess.value if guess else 0.0,
        limit=worst_allowed(released, settings.loss),
        start=report.start,
        sentence=_in_words(guess, released, "rows, estimated without labels") if guess else "",
    )


def _in_words(now: Metric, released: Metric, rows: str) -> str:
    went = "fell" if released.better == "higher" else "rose"
    return (
        f"{now.name} {went} to {now.value:.4g} (95% interval {now.low:.4g} to {now.high:.4g}) "
        f"on {now.rows:,} {rows}, from {released.value:.4g} at release"
    )


def _is_enough(report: MonitoringReport, settings: MonitorSettings) -> bool:
    return report.rows >= settings.minimum_rows


def since_when(drift: ColumnDrift, since: datetime | None) -> ColumnDrift:
    """The drift with its beginning, and its sentence with an end."""
    ending = f", since {since:%Y-%m-%d}." if since else "."
    return ColumnDrift(
        column=drift.column,
        distance=drift.distance,
        drifted=drift.drifted,
        since=since if drift.drifted else None,
        sentence=drift.sentence + ending,
    )
