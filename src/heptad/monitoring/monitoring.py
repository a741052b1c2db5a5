"""The front door of step 6: reports of windows, the alerts they raise, and what a challenger is compared on."""

import builtins
from collections.abc import Sequence
from datetime import datetime

import msgspec

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.identity import current_actor
from heptad.core.query import All, Compare, Condition, Order, Query, equals
from heptad.core.records import Attribute, Change, Id, Link, NewEvent, RawRecord, Record, derived_id
from heptad.core.settings import ProjectSettings, duration
from heptad.core.workspace import Workspace
from heptad.monitoring.alerts import advance
from heptad.monitoring.answers import read_answers, trial_rows_of
from heptad.monitoring.conditions import conditions_of, since_when
from heptad.monitoring.measurement import Measurement
from heptad.monitoring.records import Alert, MonitoringReport, Performance
from heptad.monitoring.references import References
from heptad.monitoring.settings import MonitorSettings
from heptad.monitoring.trials import TrialRows
from heptad.monitoring.windows import Window, closed_windows, window_of
from heptad.release import Release
from heptad.serving import Deployment, Serving

_REMEMBERED = 100
"""Earlier reports that a report looks at: for alerts that go on, for the usual volume, for labels that landed late."""
_REGULAR = "regular"
"""Attribute of a report: whether its window was one of the grid of the settings."""


class Monitoring:
    """Watches one endpoint. It measures and raises alerts; what follows from them is decided by lifecycle."""

    def __init__(
        self,
        workspace: Workspace,
        project: ProjectSettings,
        settings: MonitorSettings,
        release: Release,
        serving: Serving,
    ) -> None:
        self.settings = settings
        self._workspace = workspace
        self._project = project
        self._serving = serving
        self._references = References(workspace, release)

    def report(self, start: datetime, end: datetime, known_at: datetime | None = None) -> Record[MonitoringReport]:
        """What happened in `[start, end)`, with the labels known at `known_at` (default: now).

        One report a window: asked again, the first one is answered, whatever has become known since. Where labels
        landed later, the report of a later window says so in `landed`. Errors: `InputError` for a window that is
        empty, not over yet or names no zone, `NotFoundError` where the log names a version that the registry does not
        have.
        """
        window = Window(start, end)
        found = self._find(window)
        if found is not None:
            return found
        moment = known_at or self._workspace.clock.now()
        if moment < window.end:
            raise InputError(
                f"The window until {window.end.isoformat()} is not over at {moment.isoformat()}.",
                remedy="ask again when it is; `performance` looks at any span and keeps nothing",
            )
        before = [record.body for record in self.list(_REMEMBERED, Compare("start", "<", start.timestamp()))]
        measured = self._measurement(moment).report(window, before)
        return self._save(self._with_alerts(measured, before))

    def due(self, now: datetime) -> builtins.list[Window]:
        """Windows that are over and have no report yet, oldest first.

        Windows follow each other from the endpoint's first deployment on. What lies before the end of the newest
        one with a report is done, also where their length has changed since; windows that were reported besides, as
        somebody asked for them, do not count.
        """
        origin = self._origin()
        if origin is None:
            return []
        newest = self.list(1, equals(**{_REGULAR: True}))
        done = newest[0].body.end if newest else origin
        return closed_windows(done, now, duration(self.settings.window), origin)

    def list(self, limit: int = 1000, where: Condition | None = None) -> builtins.list[Record[MonitoringReport]]:
        """Reports, the newest window first."""
        query = Query(
            kind=MonitoringReport.kind,
            scopes=[self._serving.endpoint],
            where=where or All(),
            order=[Order("start", descending=True)],
        )
        return graph.find(self._workspace, MonitoringReport, query, limit=limit)

    def show(self, ref: Id) -> Record[MonitoringReport]:
        """A report by its id, or the one of the newest window by the name `latest`."""
        if ref != "latest":
            return graph.load(self._workspace, ref, MonitoringReport)
        newest = self.list(limit=1)
        if not newest:
            raise NotFoundError("report", ref, remedy="Windows are reported once they are over: heptad up")
        return newest[0]

    def alerts(self) -> builtins.list[Alert]:
        """The alerts that hold now: raised by the report of the newest window, or still going on in it."""
        newest = self.list(limit=1)
        return newest[0].body.open_alerts() if newest else []

    def alert(self, identity: Id) -> tuple[Alert, Record[MonitoringReport]]:
        """An alert as it was raised, and the report that raised it; raises `NotFoundError`."""
        raised = self.list(limit=1, where=Compare(f"alert.{identity}", "exists", True))
        if not raised:
            raise NotFoundError("alert", identity, [alert.id for alert in self.alerts()])
        return next(alert for alert in raised[0].body.alerts if alert.id == identity), raised[0]

    def performance(
        self, start: datetime, end: datetime, known_at: datetime | None = None
    ) -> builtins.list[Performance]:
        """How every version did in `[start, end)` by the labels known at `known_at` (default: now); writes nothing."""
        return self._measurement(known_at).performance(Window(start, end))

    def trial_rows(
        self, champion: str, challenger: str, start: datetime, end: datetime, known_at: datetime | None = None
    ) -> TrialRows:
        """The labelled rows of `[start, end)` on which two versions can be compared; versions as `NAME@VERSION`."""
        moment = known_at or self._workspace.clock.now()
        window = Window(start, end)
        answers = read_answers(self._serving, [window], moment)[window]
        return trial_rows_of(answers, champion, challenger, self._references.get(champion).signature)

    def _measurement(self, known_at: datetime | None) -> Measurement:
        moment = known_at or self._workspace.clock.now()
        return Measurement(self._serving, self._references, self.settings, self._project.seed, moment)

    def _with_alerts(self, report: MonitoringReport, before: Sequence[MonitoringReport]) -> MonitoringReport:
        """The report with its alerts; those of the report before go on where the reference is still the same."""
        last = before[0] if before and before[0].reference == report.reference else None
        active = last.open_alerts() if last else []
        reference = self._references.get(report.version) if report.version else None
        metric = reference.metric(reference.main) if reference else None
        conditions = conditions_of(report, before, metric, self.settings)
        alerts = advance(active, conditions, report.endpoint, report.reference)
        predictions = report.prediction_drift
        return msgspec.structs.replace(
            report,
            alerts=alerts.raised,
            ongoing=alerts.ongoing,
            drift=[since_when(each, alerts.since("drift", each.column)) for each in report.drift],
            prediction_drift=since_when(predictions, alerts.since("prediction_drift", "")) if predictions else None,
        )

    def _origin(self) -> datetime | None:
        """When the endpoint was first deployed, which is where its windows begin."""
        deployments = Query(kind=Deployment.kind, scopes=[self._serving.endpoint], order=[Order("@at")], attributes=())
        first = self._workspace.store.find(deployments, limit=1).items
        return first[0].at if first else None

    def _is_regular(self, window: Window) -> bool:
        origin, length = self._origin(), duration(self.settings.window)
        return origin is not None and window == window_of(window.start, length, origin)

    def _identity(self, window: Window) -> Id:
        return derived_id(MonitoringReport.prefix, self._serving.endpoint, window.start, window.end)

    def _find(self, window: Window) -> Record[MonitoringReport] | None:
        try:
            return graph.load(self._workspace, self._identity(window), MonitoringReport)
        except NotFoundError:
            return None

    def _save(self, report: MonitoringReport) -> Record[MonitoringReport]:
        """Write the report, its event, and one event for each alert, in one transaction that happens once."""
        window = Window(report.start, report.end)
        identity = self._identity(window)
        now = self._workspace.clock.now()
        record: RawRecord = Record(
            id=identity,
            kind=report.kind,
            scope=report.endpoint,
            at=now,
            actor=current_actor(),
            body=msgspec.to_builtins(report, str_keys=True),
        )
        raised = [
            NewEvent(kind="monitoring.alert_raised", subject=identity, body=msgspec.to_builtins(alert))
            for alert in report.alerts
        ]
        summary = {"rows": report.rows, "version": report.version, "alerts": [alert.id for alert in report.alerts]}
        self._workspace.store.write(
            Change(
                records=[record],
                links=[Link(identity, "version", report.reference)] if report.reference else [],
                attributes=[
                    Attribute(identity, "start", report.start.timestamp()),
                    Attribute(identity, _REGULAR, self._is_regular(window)),
                    *(Attribute(identity, f"alert.{alert.id}", alert.kind) for alert in report.alerts),
                ],
                events=[NewEvent(kind="monitoring.reported", subject=identity, body=summary), *raised],
                key=f"save:{identity}",
                at=now,
                actor=record.actor,
            )
        )
        return graph.load(self._workspace, identity, MonitoringReport)
