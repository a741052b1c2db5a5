"""One window measured: everything of its report but the alerts."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import polars as pl

from heptad.data import profile_frame
from heptad.monitoring.answers import (
    Answers,
    callers_of,
    count_labelled,
    inputs_of,
    latencies_of,
    live_version,
    read_answers,
    warnings_of,
)
from heptad.monitoring.drift import column_drift, drift
from heptad.monitoring.estimation import PERIODS, Period, calibrate
from heptad.monitoring.performance import Labels, Scored, has_estimate, periods_of, report_of, split_by_version
from heptad.monitoring.quality import quality
from heptad.monitoring.records import ColumnDrift, MonitoringReport, Performance
from heptad.monitoring.references import PREDICTIONS, SCORE, Reference, References
from heptad.monitoring.settings import MonitorSettings
from heptad.monitoring.windows import Window
from heptad.serving import Serving


class Measurement:
    """Measures windows of one endpoint at a moment; reads the log and the labels, writes nothing."""

    def __init__(
        self, serving: Serving, references: References, settings: MonitorSettings, seed: int, known_at: datetime
    ) -> None:
        self._serving = serving
        self._references = references
        self._settings = settings
        self._seed = seed
        self._known_at = known_at
        self._scored: dict[Window, list[Scored]] = {}

    def report(self, window: Window, before: Sequence[MonitoringReport]) -> MonitoringReport:
        """The report of a window, without alerts; `before` are reports of earlier windows, the newest first.

        The reference is the version that gave the last live answer; in a window without one, that of the report
        before.
        """
        answers = self._read([window], whole=True)[window]
        name = live_version(answers) or next((report.version for report in before if report.version), "")
        p50, p99 = latencies_of(answers)
        report = MonitoringReport(
            endpoint=self._serving.endpoint,
            start=window.start,
            end=window.end,
            known_at=self._known_at,
            rows=len(answers),
            version=name,
            callers=callers_of(answers),
            warnings=warnings_of(answers),
            performance=self.performance(window),
            latency_p50_ms=p50,
            latency_p99_ms=p99,
        )
        return self._compared(report, answers, self._references.get(name), before) if name else report

    def performance(self, window: Window) -> list[Performance]:
        """How every version did that answered or shadowed in a window."""
        if window not in self._scored:
            self._read([window])
        found = []
        for scored in self._scored[window]:
            reference = self._references.get(scored.version)
            labels = self._calibration(window, reference)
            found.append(
                report_of(scored, reference.signature, reference.main, labels, self._settings.minimum_rows, self._seed)
            )
        return found

    def _compared(
        self, report: MonitoringReport, answers: pl.DataFrame, reference: Reference, before: Sequence[MonitoringReport]
    ) -> MonitoringReport:
        """The report with what compares its rows with a reference."""
        compared = msgspec.structs.replace(
            report,
            reference=reference.version,
            prediction_drift=self._prediction_drift(answers, reference),
            landed=self._landed(reference, before),
        )
        inputs = inputs_of(answers, reference.signature)
        if inputs is None or inputs.is_empty():
            return compared
        profile = profile_frame(inputs, reference.columns(), reference.inputs)
        return msgspec.structs.replace(
            compared,
            quality=quality(inputs, reference.signature.inputs, reference.inputs, profile),
            drift=drift(reference.inputs, profile, self._settings.drift, self._settings.minimum_rows, "training"),
        )

    def _prediction_drift(self, answers: pl.DataFrame, reference: Reference) -> ColumnDrift | None:
        """How far the scores of the reference version are from those that it gave to held-out rows."""
        scores = answers.filter(pl.col("version") == reference.name).select(SCORE)
        if scores.is_empty() or not reference.predictions.rows:
            return None
        now = profile_frame(scores, PREDICTIONS, reference.predictions)
        return column_drift(
            reference.predictions.columns[0],
            now.columns[0],
            self._settings.drift,
            self._settings.minimum_rows,
            "the held-out rows at release",
            "the predictions",
        )

    def _landed(self, reference: Reference, before: Sequence[MonitoringReport]) -> list[Performance]:
        """Earlier windows of the version whose labels were too few when they were reported and are enough now."""
        minimum = self._settings.minimum_rows
        same = [report for report in before if report.reference == reference.version]
        known = {performance.start for report in same for performance in report.landed}
        waiting = [
            Window(report.start, report.end)
            for report in reversed(same)
            for live in report.performance
            if (live.role, live.version) == ("live", reference.name)
            and live.labelled < minimum <= live.rows
            and report.start not in known
        ]
        labelled = count_labelled(self._serving, waiting, self._known_at, reference.name)
        return [
            msgspec.structs.replace(performance, start=window.start, end=window.end)
            for window in waiting
            if labelled[window] >= minimum
            for performance in self.performance(window)
            if (performance.role, performance.version) == ("live", reference.name)
        ]

    def _calibration(self, window: Window, reference: Reference) -> Labels | None:
        """From the earlier windows in which enough rows that the version scored have labels, else at release.

        Held-out rows of release, cut into parts, stand in for windows that are missing when it comes to how much
        windows differ. `None` where there is nothing to estimate, or too few labels.
        """
        minimum = self._settings.minimum_rows
        if not has_estimate(reference.signature, reference.main):
            return None
        recent: list[Period] = []
        until = None
        windows = _before(window)
        self._read([earlier for earlier in windows if earlier not in self._scored])
        for earlier in windows:
            for scored in self._scored[earlier]:
                if scored.version == reference.name:
                    found = periods_of(scored, reference.signature, minimum)
                    recent += found
                    until = until or (earlier.end if found else None)
        held_out = Scored(version=reference.name, role="live", rows=reference.held_out)
        missing = max(PERIODS - len(recent), 0)
        calibration = calibrate(recent, periods_of(held_out, reference.signature, minimum, missing))
        return Labels(calibration=calibration, until=until) if calibration else None

    def _read(self, windows: Sequence[Window], *, whole: bool = False) -> Answers:
        """Read windows together, and keep what each version scored in them."""
        if not windows:
            return {}
        answers = read_answers(self._serving, windows, self._known_at, whole=whole)
        self._scored |= {window: split_by_version(rows) for window, rows in answers.items()}
        return answers


def _before(window: Window) -> list[Window]:
    """The windows before one whose labels are recent enough for its calibration, the newest first."""
    windows = [window]
    while len(windows) <= PERIODS:
        windows.append(windows[-1].before())
    return windows[1:]
