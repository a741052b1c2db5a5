"""The section of heptad.toml that step 4 owns: release."""

from typing import Annotated, TypeAlias, get_args

import msgspec

from heptad.core.settings import Count, Settings
from heptad.experiments import MetricName


def _check_gate(text: str) -> None:
    from heptad.release.gates import parse_gate  # noqa: PLC0415 - it imports what is measured

    parse_gate(text, get_args(MetricName))


Gate: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_gate})]


class ReleaseSettings(Settings, frozen=True, kw_only=True):
    """`[release]`: what a candidate must hold to become a version."""

    gates: tuple[Gate, ...] = ("beats baseline",)
    """`METRIC OP NUMBER`, `METRIC OP champion [+|- NUMBER]`, `beats champion`, `beats baseline`; all must hold.

    OP is `>=`, `<=`, `>` or `<`; METRIC is a metric of the task, `model_latency_p50_ms` or `model_latency_p99_ms`.
    """
    approvals: Count = 0
    """How many people must approve before a version can become champion."""
