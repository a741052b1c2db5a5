"""Step 6: what happens to what was deployed."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.monitoring.monitoring import Monitoring as Monitoring
    from heptad.monitoring.records import Alert as Alert
    from heptad.monitoring.records import AlertKind as AlertKind
    from heptad.monitoring.records import ColumnDrift as ColumnDrift
    from heptad.monitoring.records import ColumnQuality as ColumnQuality
    from heptad.monitoring.records import MonitoringReport as MonitoringReport
    from heptad.monitoring.records import Performance as Performance
    from heptad.monitoring.settings import MonitorSettings as MonitorSettings
    from heptad.monitoring.trials import TrialRows as TrialRows
    from heptad.monitoring.windows import Window as Window

__getattr__, __all__ = attach(
    __name__,
    {
        "Alert": "records",
        "AlertKind": "records",
        "ColumnDrift": "records",
        "ColumnQuality": "records",
        "MonitorSettings": "settings",
        "Monitoring": "monitoring",
        "MonitoringReport": "records",
        "Performance": "records",
        "TrialRows": "trials",
        "Window": "windows",
    },
)
