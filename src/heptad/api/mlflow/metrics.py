"""The history of metrics: every point of a series, in pages, or thinned for a chart."""

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from heptad.api.mlflow.codec import metric_number
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_page
from heptad.api.mlflow.protocol import Call, Context, Int64, Route, required
from heptad.api.mlflow.run_records import run_named

PAGE, MOST = 25_000, 100_000
BULK_RUNS, INTERVAL_RUNS, INTERVAL_POINTS = 100, 100, 2500
Point: TypeAlias = tuple[int, int, float]
"""Milliseconds, step, value: points are told in this order."""


class History(Call, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    metric_key: str = ""
    page_token: str = ""
    max_results: int = PAGE


class Bulk(Call, frozen=True, kw_only=True):
    run_id: list[str] = []
    metric_key: str = ""
    max_results: int = PAGE


class Interval(Call, frozen=True, kw_only=True):
    run_ids: list[str] = []
    metric_key: str = ""
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: int = 320


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point as it is told."""

    key: str
    value: float | str
    timestamp: int
    step: int
    run_id: str = ""


def _history(context: Context, call: History) -> dict[str, Any]:
    required(call, "metric_key")
    check_page(call.max_results, MOST)
    run = run_named(context, call.run_id or call.run_uuid, ()).id
    points = _points(context, run, call.metric_key)
    start = _place(call.page_token)
    end = start + call.max_results
    found: dict[str, Any] = {"metrics": [_shown(call.metric_key, one) for one in points[start:end]]}
    if end < len(points):
        found["next_page_token"] = base64.b64encode(b"%d" % end).decode()
    return found


def _bulk(context: Context, call: Bulk) -> dict[str, Any]:
    required(call, "metric_key", "run_id")
    check_page(call.max_results, MOST)
    if len(call.run_id) > BULK_RUNS:
        raise invalid(f"GetMetricHistoryBulk takes at most {BULK_RUNS} run_ids, not {len(call.run_id)}.")
    found: list[Shown] = []
    for identity in sorted(set(call.run_id)):
        run = run_named(context, identity, ()).id
        found += [_shown(call.metric_key, one, run) for one in _points(context, run, call.metric_key)]
    return {"metrics": found[: call.max_results]}


def _interval(context: Context, call: Interval) -> dict[str, Any]:
    """For each run the points at up to `max_results` steps, evenly chosen, the first and the last among them."""
    required(call, "metric_key", "run_ids")
    check_page(call.max_results, INTERVAL_POINTS)
    if len(call.run_ids) > INTERVAL_RUNS:
        raise invalid(f"GetMetricHistoryBulkInterval takes at most {INTERVAL_RUNS} run_ids, not {len(call.run_ids)}.")
    if (call.start_step is None) != (call.end_step is None):
        raise invalid("If either start step or end step are specified, both must be specified.")
    low, high = call.start_step, call.end_step
    if low is not None and high is not None and low > high:
        raise invalid(f"end_step must be greater than start_step. Found start_step={low} and end_step={high}.")
    found: list[Shown] = []
    for identity in dict.fromkeys(call.run_ids):
        run = run_named(context, identity, ()).id
        points = _points(context, run, call.metric_key)
        if low is not None and high is not None:
            points = [one for one in points if low <= one[1] <= high]
        kept = _evenly(sorted({step for _, step, _ in points}), call.max_results)
        found += [_shown(call.metric_key, one, run) for one in sorted(points, key=_by_step) if one[1] in kept]
    return {"metrics": found}


def _by_step(point: Point) -> tuple[int, int]:
    return point[1], point[0]


def _evenly(steps: Sequence[int], most: int) -> set[int]:
    if len(steps) <= most:
        return set(steps)
    if most == 1:
        return {steps[-1]}
    return {steps[place * (len(steps) - 1) // (most - 1)] for place in range(most)}


def _points(context: Context, run: str, key: str) -> list[Point]:
    series = context.workspace.store.read(run, key)
    points = list(zip([round(at * 1000) for at in series.times], series.steps, series.values, strict=True))
    # Nearly always they are: then this is quicker than to sort them.
    in_order = all(one <= other for one, other in pairwise(points))
    return points if in_order else sorted(points)


def _shown(key: str, point: Point, run: str = "") -> Shown:
    return Shown(key, metric_number(point[2]), point[0], point[1], run)


def _place(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (ValueError, binascii.Error):
        raise invalid(f"Invalid page token {token[:60]!r}.") from None


ROUTES = (
    Route("GET", "mlflow/metrics/get-history", History, _history),
    Route("GET", "mlflow/metrics/get-history-bulk", Bulk, _bulk),
    Route("GET", "mlflow/metrics/get-history-bulk-interval", Interval, _interval),
)
