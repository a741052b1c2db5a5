"""The line from a rehearsal to its server: asks, measures, and counts what was not answered."""

import math
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from heptad.core.errors import RequestError, UnavailableError
from heptad.core.memory import peak_rss_mb
from heptad.serving import PredictionClient, Serving

CALLER = "rehearsal"


class Batch(msgspec.Struct, frozen=True):
    """Rows that are asked together, at the moment of the first of them."""

    at: datetime
    ids: list[str]
    rows: list[dict[str, Any]]


class Line:
    """A server of our own and a client that talks to it; leaves no server behind.

    A server that dies is started again and asked again, which cannot double anything; `failed` counts requests that
    got no answer all the same. `latencies` are the milliseconds of the requests that carried one row.
    """

    def __init__(self, serving: Serving, clock: Path) -> None:
        self._server = serving.start_server(port=0, clock=clock, cleaned=True)
        self._client = PredictionClient(self._server.url, serving.endpoint, CALLER)
        self.failed = 0
        self.latencies: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._server.stop()

    def ask(self, batch: Batch) -> None:
        """Send one request."""
        began = time.perf_counter()
        try:
            self._client.predict(batch.rows, batch.ids)
        except (UnavailableError, RequestError):
            self.failed += 1
            return
        if len(batch.rows) == 1:
            self.latencies.append(1000 * (time.perf_counter() - began))

    def observed(self) -> dict[str, float]:
        """Memory of all processes and latency of single rows so far; figures of this machine, not of the result."""
        peak = peak_rss_mb() + sum(peak_rss_mb(pid) for pid in self._server.pids)
        seen = {"peak_rss_mb": round(peak, 1)}
        if self.latencies:
            seen |= {f"latency_p{share}_ms": round(quantile(self.latencies, share / 100), 3) for share in (50, 99)}
        return seen


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least a share of the values do not exceed; `values` must not be empty."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
