"""What step 6 writes: one report a window, with everything that was measured and the alerts it raised."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.training import Metric

AlertKind = Literal["drift", "prediction_drift", "quality", "loss", "estimated_loss", "latency", "volume"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth acting on. `sentence` says which column, how far, and since when."""

    id: str
    kind: AlertKind
    column: str = ""
    value: float
    limit: float
    since: datetime
    sentence: str
    over: bool = False
    """Raised for a window whose labels landed late, and ended by a newer window of the same report."""


class ColumnQuality(msgspec.Struct, frozen=True, kw_only=True):
    """One column in a window: missing and never-seen values as shares of the rows, 0 to 1."""

    column: str
    missing: float
    missing_at_reference: float
    unseen: float = 0.0
    outside_range: float = 0.0


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one column has moved from the reference."""

    column: str
    distance: float
    """Population stability index, 0: same distribution."""
    drifted: bool
    since: datetime | None = None
    """Start of the first window of the present unbroken run of drifted windows."""
    sentence: str = ""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """One version's figures in a window, measured where labels have landed."""

    version: str
    role: Literal["live", "canary", "shadow"]
    rows: int
    labelled: int
    metrics: list[Metric] = []
    estimated: Metric | None = None
    """The main metric estimated without labels; `None` where an estimate would not be sound."""
    calibrated_until: datetime | None = None
    """End of the newest labelled window that the estimate was recalibrated on; `None`: held-out rows of release."""
    start: datetime | None = None
    end: datetime | None = None
    """The window of the figures; `None`: the report's own."""


class MonitoringReport(Body, frozen=True, kw_only=True):
    """What happened at an endpoint in `[start, end)`, as known at `known_at`."""

    kind: ClassVar[str] = "monitoring_report"
    prefix: ClassVar[str] = "report"

    endpoint: str
    start: datetime
    end: datetime
    known_at: datetime
    rows: int
    """Rows that were answered; what shadows did is not counted again."""
    version: str = ""
    """`NAME@VERSION` of the live model at the end of the window; empty where there was never one."""
    reference: str = ""
    """Id of that version, whose training rows everything is compared with."""
    callers: dict[str, int] = {}
    warnings: dict[str, int] = {}
    """Warnings that replies carried, counted by what they say."""
    quality: list[ColumnQuality] = []
    drift: list[ColumnDrift] = []
    prediction_drift: ColumnDrift | None = None
    performance: list[Performance] = []
    landed: list[Performance] = []
    """Earlier windows of the same version that had too few labels for their own report and have enough now."""
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    alerts: list[Alert] = []
    """Raised by this report: each alert is raised once, however long it goes on."""
    ongoing: list[Alert] = []
    """Raised by earlier reports about the same version, and still true, or not to be judged in this window."""

    def open_alerts(self) -> list[Alert]:
        """Those that hold at the end of the window."""
        return [*(alert for alert in self.alerts if not alert.over), *self.ongoing]
