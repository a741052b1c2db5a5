"""The history of metrics: every point of a series, in pages, or thinned for a chart."""

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from heptad.api.mlflow.codec import metric_number
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_page
from heptad.api.mlflow.protocol import Call, Context, Int64, Route, required
from heptad.api.mlflow.run_records import run_named
from heptad.core.records import Segment

PAGE, MOST = 25_000, 100_000
BULK_RUNS, INTERVAL_RUNS, INTERVAL_POINTS = 100, 100, 2500


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
    series = _in_order(context.workspace.store.read(run, call.metric_key))
    start = _place(call.page_token)
    end = start + call.max_results
    found: dict[str, Any] = {"metrics": _shown(series, start, end)}
    if end < len(series.steps):
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
        found += _shown(_in_order(context.workspace.store.read(run, call.metric_key)), run=run)
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
        points = _shown(_in_order(context.workspace.store.read(run, call.metric_key)), run=run)
        if low is not None and high is not None:
            points = [one for one in points if low <= one.step <= high]
        kept = _evenly(sorted({one.step for one in points}), call.max_results)
        found += sorted((one for one in points if one.step in kept), key=_by_step)
    return {"metrics": found}


def _by_step(point: Shown) -> tuple[int, int]:
    return point.step, point.timestamp


def _evenly(steps: Sequence[int], most: int) -> set[int]:
    if len(steps) <= most:
        return set(steps)
    if most == 1:
        return {steps[-1]}
    return {steps[place * (len(steps) - 1) // (most - 1)] for place in range(most)}


def _in_order(series: Segment) -> Segment:
    """By time, then by step, then by value. Nearly always it is so already, which is quicker to see than to sort."""
    if sorted(series.times) == series.times and sorted(series.steps) == series.steps:
        return series
    points = sorted(zip(series.times, series.steps, series.values, strict=True))
    times, steps, values = map(list, zip(*points, strict=True))
    return msgspec.structs.replace(series, times=times, steps=steps, values=values)


def _shown(series: Segment, start: int = 0, end: int | None = None, run: str = "") -> list[Shown]:
    part = slice(start, end)
    key, values = series.key, series.values[part]
    told = values if all(map(math.isfinite, values)) else [metric_number(value) for value in values]
    times = [round(at * 1000) for at in series.times[part]]
    return [Shown(key, value, at, step, run) for value, at, step in zip(told, times, series.steps[part], strict=True)]


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
