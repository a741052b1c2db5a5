"""The section of heptad.toml that step 6 owns: monitor."""

from heptad.core.settings import Amount, Count, Settings, Share, Span


class MonitorSettings(Settings, frozen=True, kw_only=True):
    """`[monitor]`: over which windows a deployment is watched, and what is worth waking somebody."""

    window: Span = "7d"
    """Each window of this length that is over gets a report."""
    drift: Amount = 0.2
    """Distance (population stability index) of a feature from the reference at which it has drifted."""
    loss: Amount = 0.03
    """How much worse than at release the main metric may be; of `rmse`, `mae` and `median_error`, as a share."""
    missing: Share = 0.1
    """Growth of a column's share of missing values that is an alert, 0 to 1."""
    volume: Share = 0.1
    """Share of the usual number of rows, the median of up to four windows before, below which a window is an alert."""
    latency_p99_ms: Amount = 0.0
    """Latency that one answer in a hundred may exceed; 0: latency is reported and raises no alert."""
    minimum_rows: Count = 200
    """Windows and labelled sets with fewer rows are reported and never raise an alert."""
