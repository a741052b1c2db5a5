"""The section of heptad.toml that step 4 owns: release."""

from heptad.core.settings import Settings


class ReleaseSettings(Settings, frozen=True, kw_only=True):
    """`[release]`: what a candidate must hold to become a version."""

    gates: tuple[str, ...] = ("beats baseline",)
    """`METRIC OP NUMBER`, `METRIC OP champion [+|- NUMBER]`, `beats champion`, `beats baseline`; all must hold.

    OP is `>=`, `<=`, `>` or `<`; METRIC is a metric of the task, `model_latency_p50_ms` or `model_latency_p99_ms`.
    """
    approvals: int = 0
    """How many people must approve before a version can become champion."""
