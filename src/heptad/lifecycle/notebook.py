"""How records, lists of them, comparisons and reports show themselves in a notebook, on light and on dark pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from heptad.core import graph
from heptad.core.markup import Child, Markup, element, table
from heptad.core.records import Body, Record, Scalar
from heptad.core.shown import Rows
from heptad.data import DatasetVersion
from heptad.experiments import Run, RunComparison, Study, StudyReport
from heptad.lifecycle.records import Plan
from heptad.lifecycle.sentences import sentence_of
from heptad.monitoring import MonitoringReport, Performance
from heptad.release import Decision, ModelVersion, RunOutcome
from heptad.serving import Deployment
from heptad.training import Candidate, Metric

B = TypeVar("B", bound=Body)
MOST: Final = 30
"""Lines of a table; of what is longer the rest is counted."""
_BARS: Final = 12
_GROUPS: Final = {"params.": "Parameters", "metrics.": "Metrics", "tags.": "Tags", "artifacts.": "Files"}


def shown(value: Any) -> Markup:
    """The value as HTML: all text escaped, no script, nothing that is loaded from anywhere.

    Raises `TypeError` for what nobody has said how to show.
    """
    for kind, draw in _DRAWN.items():
        if isinstance(value, kind):
            return element("div", Markup(_STYLE), *draw(value), class_="heptad")
    raise TypeError(f"nothing shows a {type(value).__name__}")


def _record(record: Record[Any]) -> Iterable[Child]:
    yield element("div", element("b", _text(sentence_of(record))))
    yield element("div", f"{record.id}, {_moment(record.at)}, by {record.actor}", class_="quiet")
    details = _DETAILS.get(record.kind, _fields)
    yield from details(record)


def _rows(rows: Rows[Any]) -> Iterable[Child]:
    records = [one for one in rows if isinstance(one, Record)]
    if not records:
        yield element("div", "none", class_="quiet")
    elif records[0].kind == Run.kind:
        names = list(dict.fromkeys(key for one in records for key in sorted(one.attributes) if _is_figure(key)))[:_BARS]
        head = ["run", "name", "status", *names]
        yield _table(
            head,
            [
                [one.id, str(one.attributes.get("name", "")), str(one.attributes.get("status", ""))]
                + [_text(one.attributes.get(name)) for name in names]
                for one in records
            ],
        )
    else:
        yield _table(["id", "when", "what"], [[one.id, _moment(one.at), sentence_of(one)] for one in records])


def _is_figure(key: str) -> bool:
    return key.startswith(("params.", "metrics.")) and not key.startswith(("metrics.fold.", "metrics.system."))


def _run(record: Record[Run]) -> Iterable[Child]:
    attributes = record.attributes
    if reason := attributes.get("reason"):
        yield element("div", str(reason), class_="bad")
    if note := attributes.get("note"):
        yield element("div", str(note))
    parts = []
    for prefix, title in _GROUPS.items():
        values = {key.removeprefix(prefix): attributes[key] for key in sorted(attributes) if key.startswith(prefix)}
        if values:
            parts.append(_facts(title, values))
    yield element("div", parts, class_="beside")


def _study(record: Record[Study]) -> Iterable[Child]:
    yield _facts("Space", {name: msgspec.json.encode(one).decode() for name, one in record.body.space.items()})


def _dataset(record: Record[DatasetVersion]) -> Iterable[Child]:
    broken = [one.sentence for one in record.body.findings if not one.passed]
    yield from (element("div", one, class_="bad") for one in broken[:MOST])
    lines = []
    for one in record.body.schema.columns:
        span = "" if one.min is None or one.max is None else f"{one.min:.5g} to {one.max:.5g}"
        values = ", ".join((one.categories or [])[:6]) + (" …" if len(one.categories or ()) > 6 else "")
        lines.append([one.name, one.type, one.role, "yes" if one.nullable else "no", span or values])
    yield _table(["column", "type", "role", "may be missing", "values"], lines)


def _candidate(record: Record[Candidate]) -> Iterable[Child]:
    evaluation = record.body.evaluation
    trivial = {one.name: one.value for one in evaluation.baseline}
    head = ["metric", "value", f"{evaluation.confidence:.0%} interval", evaluation.baseline_name]
    lines = [[one.name, _text(one.value), _between(one), _text(trivial.get(one.name))] for one in evaluation.metrics]
    chart = _bars("What moves the score", evaluation.attributions)
    yield element("div", [_table(head, lines), *([chart] if chart else [])], class_="beside")
    yield _facts("Parameters", record.body.params)


def _decision(record: Record[Decision]) -> Iterable[Child]:
    marks = {True: "held", False: "not held"}
    yield _table(["gate", "", "why"], [[one.gate, marks[one.passed], one.sentence] for one in record.body.gates])


def _version(record: Record[ModelVersion]) -> Iterable[Child]:
    body = record.body
    figure = {body.metric: body.value} if body.metric else {}
    names = ", ".join(sorted(record.aliases.keys() - {"latest"}))
    said = {key: value for key, value in record.attributes.items() if key in {"status", "description", "source"}}
    yield _facts("", {"aliases": names, "origin": body.origin, **figure, **said, "run": body.run})
    tags = {key.removeprefix("tags."): value for key, value in record.attributes.items() if key.startswith("tags.")}
    yield _facts("Tags", tags)


def _deployment(record: Record[Deployment]) -> Iterable[Child]:
    lines = [[one.label, one.role, f"{one.share:.0%}"] for one in record.body.routes]
    yield _table(["version", "role", "share of requests"], lines)


def _report(record: Record[MonitoringReport]) -> Iterable[Child]:
    body = record.body
    yield from (element("div", one.sentence, class_="bad") for one in body.open_alerts())
    lines = [
        [one.version, one.role, f"{one.labelled:,} of {one.rows:,}", name, _text(metric.value), _between(metric)]
        for one in body.performance
        for name, metric in _figures(one)
    ]
    performance = _table(["version", "role", "labelled", "metric", "value", "interval"], lines) if lines else None
    drift = _bars("How far columns moved (PSI)", {one.column: one.distance for one in body.drift})
    yield element("div", [one for one in (performance, drift) if one], class_="beside")


def _figures(one: Performance) -> list[tuple[str, Metric]]:
    """What was measured, and what was estimated without labels."""
    estimated = [(f"{one.estimated.name} (estimated)", one.estimated)] if one.estimated else []
    return [*((metric.name, metric) for metric in one.metrics), *estimated]


def _plan(record: Record[Plan]) -> Iterable[Child]:
    yield _table(["begun since", "rule"], [[one.sentence, one.rule] for one in record.body.triggers])
    yield _facts("", {key: value for key, value in record.attributes.items() if value is not None})


def _fields(record: Record[Any]) -> Iterable[Child]:
    body = record.body if isinstance(record.body, Mapping) else msgspec.to_builtins(record.body)
    yield _facts("", body)


def _comparison(compared: RunComparison) -> Iterable[Child]:
    from heptad.experiments import comparison_sections, metric_of  # noqa: PLC0415 - only who draws needs Altair

    yield from comparison_sections(compared, metric_of(compared, ""))


def _study_report(report: StudyReport) -> Iterable[Child]:
    counts = {"finished": report.finished, "failed": report.failed, "ended early": report.pruned}
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    yield element("div", element("b", f"{report.name}: {said or 'no trial yet'} in {report.seconds:.1f} s"))
    ways = ", ".join(f"{way} {name}" for name, way in report.objectives.items())
    yield element("div", f"{report.study}, {ways}, by {report.sampler}", class_="quiet")
    head = ["trial", *report.objectives, *dict.fromkeys(name for one in report.front for name in one.params), "run"]
    found = [{"trial": one.number + 1, "run": one.run, **one.values, **one.params} for one in report.front]
    lines = [[_text(one.get(name)) for name in head] for one in found]
    yield _table(head, lines)
    chart = _bars(f"What mattered ({report.importance_by})", {one.param: one.share for one in report.importances})
    yield from ([chart] if chart else [])
    yield element("div", element("b", "Would more trials help? "), report.more.sentence)


def _outcome(outcome: RunOutcome) -> Iterable[Child]:
    steps = (outcome.dataset, outcome.best, outcome.candidate, outcome.decision, outcome.version)
    yield _table(["record", "what"], [[one.id, sentence_of(one)] for one in steps if one is not None])


def _facts(title: str, values: Mapping[str, Any]) -> Markup:
    """Names and values in two columns, under a title; nothing where there are none."""
    lines = [[name, _text(value)] for name, value in values.items() if value not in ("", None, [], {})]
    if not lines:
        return Markup()
    return element("div", element("div", title, class_="quiet") if title else None, _table([], lines))


def _table(head: Sequence[str], lines: Sequence[Sequence[Child]]) -> Markup:
    left = len(lines) - MOST
    note = element("div", f"and {left:,} more", class_="quiet") if left > 0 else None
    return element("div", table(head, lines[:MOST]), note, class_="wide")


def _bars(title: str, values: Mapping[str, float]) -> Markup | None:
    """The largest values as bars; nothing where there are none."""
    if not values:
        return None
    from heptad.lifecycle.charts import bars  # noqa: PLC0415 - only who draws needs Altair

    largest = dict(sorted(values.items(), key=lambda one: -one[1])[:_BARS])
    return element("div", element("div", title, class_="quiet"), bars(largest))


def _between(metric: Metric) -> str:
    return f"{metric.low:.4g} to {metric.high:.4g}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _text(value: Scalar | object) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    said = value if isinstance(value, str) else "" if value is None else str(value)
    return said if len(said) <= 300 else f"{said[:299]}…"


def _drawing(kind: type[B], draw: Callable[[Record[B]], Iterable[Child]]) -> tuple[str, Callable[[Record[Any]], Any]]:
    """By kind of record; as one comes from the store, its body is plain data."""
    return kind.kind, lambda record: draw(record if isinstance(record.body, kind) else graph.typed(record, kind))


_DETAILS: Final[dict[str, Callable[[Record[Any]], Iterable[Child]]]] = dict(
    [
        _drawing(Run, _run),
        _drawing(Study, _study),
        _drawing(DatasetVersion, _dataset),
        _drawing(Candidate, _candidate),
        _drawing(Decision, _decision),
        _drawing(ModelVersion, _version),
        _drawing(Deployment, _deployment),
        _drawing(MonitoringReport, _report),
        _drawing(Plan, _plan),
    ]
)
_DRAWN: Final[dict[type, Callable[[Any], Iterable[Child]]]] = {
    Record: _record,
    Rows: _rows,
    RunComparison: _comparison,
    StudyReport: _study_report,
    RunOutcome: _outcome,
}
# Colours are those of the page around, or see-through greys, so that it reads on light and on dark.
_STYLE: Final = """<style>
.heptad { font: 13px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: inherit; }
.heptad .quiet { opacity: 0.65; }
.heptad .bad { color: #d97706; font-weight: 600; }
.heptad .beside, .heptad .grid { display: flex; flex-wrap: wrap; gap: 4px 32px; align-items: flex-start; }
.heptad .chart, .heptad .wide { overflow-x: auto; }
.heptad h2, .heptad h3 { font-size: 14px; font-weight: 600; margin: 12px 0 4px; }
.heptad table { font: inherit; border-collapse: collapse; margin: 4px 0; font-variant-numeric: tabular-nums; }
.heptad tr, .heptad thead { background: transparent; }
.heptad th { font-weight: 600; opacity: 0.65; }
div.heptad.heptad th, div.heptad.heptad td { text-align: left; padding: 2px 14px 2px 0; border: 0; vertical-align: top;
  border-bottom: 1px solid rgba(128, 128, 128, 0.25); color: inherit; max-width: 40em; overflow-wrap: break-word; }
.heptad svg { max-width: 100%; height: auto; display: block; }
</style>"""
