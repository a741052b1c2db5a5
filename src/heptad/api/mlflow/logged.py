"""Metrics, parameters and tags as they are logged, one by one or in batches: all of a call, or nothing.

Clients send a call again where they have seen no answer. So points carry a key made from the call: what was applied is
not applied again. As with MLflow, a point that stands twice in a call with the same step, time and value counts once.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from heptad.api.mlflow.entities import finite, latest_place, shown
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import (
    BATCH_BYTES,
    BATCH_ENTITIES,
    BATCH_METRICS,
    BATCH_PARAMS,
    BATCH_TAGS,
    PARAM_VALUE,
    RUN_TAG_VALUE,
    check_count,
    check_key,
    check_tags,
    cut,
)
from heptad.api.mlflow.logged_models import log_model_metrics
from heptad.api.mlflow.protocol import Call, Context, Int64, Millis, Route, Tag
from heptad.api.mlflow.run_records import ATTEMPTS, active_run, overtaken, run_named
from heptad.core.errors import ConflictError, NotFoundError
from heptad.core.records import AT_END, Attribute, Change, Link, NewEvent, RawRecord, Scalar, Segment
from heptad.experiments import Run

CHANGED = "experiments.run_changed"
RUN_NAME = "mlflow.runName"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    key: str = ""
    value: float | None = None
    timestamp: Millis | None = None
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(Call, frozen=True, kw_only=True):
    most_bytes: ClassVar[int] = BATCH_BYTES

    run_id: str = ""
    metrics: list[Metric] = []
    params: list[Tag] = []
    tags: list[Tag] = []


class LogMetric(Call, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: float | None = None
    timestamp: Millis | None = None
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogParam(Call, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: str = ""


class SetTag(LogParam, frozen=True, kw_only=True):
    pass


def _log_batch(context: Context, call: LogBatch) -> dict[str, Any]:
    check_count(len(call.metrics), BATCH_METRICS, "metrics")
    check_count(len(call.params), BATCH_PARAMS, "params")
    check_count(len(call.tags), BATCH_TAGS, "tags")
    total = len(call.metrics) + len(call.params) + len(call.tags)
    check_count(total, BATCH_ENTITIES, "metrics, params, and tags")
    for place, metric in enumerate(call.metrics):
        _check_metric(metric, "metrics", place)
    for place, param in enumerate(call.params):
        check_key(param.key, "key", "params", place)
    check_tags(call.tags)
    keys = [param.key for param in call.params]
    if len(set(keys)) < len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise invalid(f"Duplicate parameter keys have been submitted: {twice}. One value per param key is allowed.")
    log(context, call.run_id, call.metrics, call.params, call.tags)
    log_model_metrics(context, call.run_id, call.metrics)
    return {}


def _log_metric(context: Context, call: LogMetric) -> dict[str, Any]:
    metric = Metric(
        key=call.key,
        value=call.value,
        timestamp=call.timestamp,
        step=call.step,
        model_id=call.model_id,
        dataset_name=call.dataset_name,
        dataset_digest=call.dataset_digest,
    )
    _check_metric(metric)
    log(context, call.run_id or call.run_uuid, [metric], (), ())
    log_model_metrics(context, call.run_id or call.run_uuid, [metric])
    return {}


def _log_param(context: Context, call: LogParam) -> dict[str, Any]:
    check_key(call.key, "key")
    log(context, call.run_id or call.run_uuid, (), [Tag(key=call.key, value=call.value)], ())
    return {}


def _set_tag(context: Context, call: SetTag) -> dict[str, Any]:
    check_key(call.key, "key")
    log(context, call.run_id or call.run_uuid, (), (), [Tag(key=call.key, value=call.value)])
    return {}


def _check_metric(metric: Metric, of: str = "", place: int = 0) -> None:
    check_key(metric.key, "key", of, place)
    if metric.value is None or metric.timestamp is None:
        lacking = "value" if metric.value is None else "timestamp"
        raise invalid(f"Missing value for required parameter '{f'{of}[{place}].' if of else ''}{lacking}'.")


def log(context: Context, run: str, metrics: Sequence[Metric], params: Sequence[Tag], tags: Sequence[Tag]) -> None:
    """Write them together. Raises `ProtocolError`, for example for a parameter that has another value already."""
    params, tags = cut(params, PARAM_VALUE, "parameter"), cut(tags, RUN_TAG_VALUE, "tag")
    series = _series(run, metrics)
    key = _key_of(run, metrics, params, tags)
    names = ["deleted", *(f"params.{one.key}" for one in params)]
    names += [f"{kind}.{name}" for name in series for kind in ("latest", "metrics")]
    for _ in range(ATTEMPTS):
        record = active_run(run_named(context, run, names))
        noted, expected = _params(record, params)
        latest, before = _latest(record, series)
        noted |= tag_values(tags)
        parents = _parents(context, run, tags)
        change = Change(
            attributes=[Attribute(run, name, value) for name, value in {**noted, **latest}.items()],
            expected=[Attribute(run, name, value) for name, value in {"deleted": None, **expected, **before}.items()],
            segments=list(series.values()),
            links=parents,
            events=[NewEvent(kind=CHANGED, subject=run, body=noted)] if noted else [],
            key=key,
            durable=False,
            at=context.workspace.clock.now(),
        )
        try:
            context.workspace.store.write(change)
        except ConflictError:
            continue
        return
    raise overtaken(run)


def tag_values(tags: Sequence[Tag]) -> dict[str, Scalar]:
    """Tags as attributes; the one with the run's name is the name, which an empty one leaves as it is."""
    values: dict[str, Scalar] = {f"tags.{tag.key}": tag.value for tag in tags if tag.value or tag.key != RUN_NAME}
    if f"tags.{RUN_NAME}" in values:
        values["name"] = values[f"tags.{RUN_NAME}"]
    return values


def parent_links(context: Context, run: str, parent: str) -> list[Link]:
    """The link to the parent that a tag names, where there is such a run."""
    try:
        found = context.workspace.store.get([parent], ())
    except NotFoundError:
        return []
    return [Link(run, "parent", parent)] if found[0].kind == Run.kind and parent != run else []


def _parents(context: Context, run: str, tags: Sequence[Tag]) -> list[Link]:
    named = [tag.value for tag in tags if tag.key == "mlflow.parentRunId"]
    return parent_links(context, run, named[-1]) if named and named[-1] else []


def _series(run: str, metrics: Sequence[Metric]) -> dict[str, Segment]:
    """One segment for each key, its points in the order of the call, equal ones once."""
    points: dict[str, dict[tuple[int, int | None, float, bool], Metric]] = {}
    for metric in metrics:
        number = finite(metric.value or 0.0)
        # NaN equals nothing, itself neither.
        point = metric.step, metric.timestamp, _rank(number), math.isnan(number)
        points.setdefault(metric.key, {}).setdefault(point, metric)
    return {
        key: Segment(
            record=run,
            key=key,
            first=AT_END,
            steps=[one.step for one in some.values()],
            values=[finite(one.value or 0.0) for one in some.values()],
            times=[(one.timestamp or 0) / 1000 for one in some.values()],
        )
        for key, some in points.items()
    }


def _latest(record: RawRecord, series: Mapping[str, Segment]) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """The attributes of the values that become the latest: highest step, then time, then value. And those before."""
    values: dict[str, Scalar] = {}
    before: dict[str, Scalar] = {}
    for key, segment in series.items():
        step, at, _, value = _newest(segment)
        known = record.attributes.get(f"latest.{key}")
        now = record.attributes.get(f"metrics.{key}")
        if known is None or (step, at, _rank(value)) > (*latest_place(known), _rank(now)):
            values |= {f"metrics.{key}": value, f"latest.{key}": f"{step} {at}"}
            before[f"latest.{key}"] = known
    return values, before


def _newest(segment: Segment) -> tuple[int, int, float, float]:
    """The point of the highest step; of several with that, the latest, then the greatest."""
    highest = max(segment.steps)
    return max(
        (step, round(at * 1000), _rank(value), value)
        for step, at, value in zip(segment.steps, segment.times, segment.values, strict=True)
        if step == highest
    )


def _rank(value: Scalar) -> float:
    return value if isinstance(value, int | float) and not math.isnan(value) else 0.0


def _params(record: RawRecord, params: Sequence[Tag]) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """The parameters that are new, which nobody else may add meanwhile; one that is there has to be the same."""
    values: dict[str, Scalar] = {}
    for param in params:
        name = f"params.{param.key}"
        known = record.attributes.get(name)
        if known is None:
            values[name] = param.value
        elif shown(known) != param.value:
            raise invalid(
                f"Changing param values is not allowed. Param with key={param.key!r} was already logged with "
                f"value={shown(known)!r} for run ID={record.id!r}. Attempted logging new value {param.value!r}."
            )
    return values, dict.fromkeys(values)


def _key_of(run: str, metrics: Sequence[Metric], params: Sequence[Tag], tags: Sequence[Tag]) -> str:
    if not metrics:
        return ""
    # Not for secrecy: a key that two different calls of one run do not share.
    call = msgspec.msgpack.encode((metrics, params, tags))
    return "log:" + hashlib.blake2b(run.encode() + call, digest_size=16).hexdigest()


ROUTES = (
    Route("POST", "mlflow/runs/log-batch", LogBatch, _log_batch),
    Route("POST", "mlflow/runs/log-metric", LogMetric, _log_metric),
    Route("POST", "mlflow/runs/log-parameter", LogParam, _log_param),
    Route("POST", "mlflow/runs/set-tag", SetTag, _set_tag),
)
