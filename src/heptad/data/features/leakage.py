"""What a training set must not hold: features that know the target, rows on both sides of a split, the future."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.settings import Task
from heptad.data.columns.dialogues import every_nth, made
from heptad.data.columns.keys import key_text
from heptad.data.columns.suspects import SAMPLE, leaks, summands
from heptad.data.features.joins import Values, join_features
from heptad.data.records import DatasetVersion, Finding
from heptad.data.versions.splits import hash_holdout, time_cut

_SAME = "\0same"


class TrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to learn from and to judge on, and what their columns are."""

    rows: pl.LazyFrame
    target: str
    task: Task
    features: list[str]
    key: list[str] = []
    time: str = ""
    label_time: str = ""
    judged: pl.Expr | None = None
    """Which rows are judged on. Without it the split is not looked at."""
    learnt: pl.Expr | None = None
    """Which rows are learnt from; without it all that are not judged on."""


def training_set_of(version: DatasetVersion, rows: pl.LazyFrame, share: float, seed: int) -> TrainingSet:
    """The rows of a version of the table, of which the newest share is judged on; without time, one by hash.

    As training does, rows whose label was not known when judging begins are not learnt from.
    """
    schema = version.schema
    key, time, label_time = (schema.named(role) for role in ("key", "time", "label_time"))
    learnt = None
    if time:
        cut = time_cut(rows, time[0], share)
        judged = pl.col(time[0]) >= cut
        if label_time:
            learnt = ~judged & (pl.col(label_time[0]) <= cut)
    else:
        judged = key_text(key).map_batches(
            lambda keys: pl.Series(hash_holdout(keys, share, seed)), return_dtype=pl.Boolean, is_elementwise=True
        )
    return TrainingSet(
        rows=rows,
        target=schema.target,
        task=schema.task,
        features=[column.name for column in schema.features()],
        key=key,
        time=time[0] if time else "",
        label_time=label_time[0] if label_time else "",
        judged=judged,
        learnt=learnt,
    )


def leakage_report(training: TrainingSet, now: datetime) -> list[Finding]:
    """Every way in which the rows could tell a model what it will not know; what was looked at and is clean passes.

    Two queries over the rows, which may be larger than memory; the search for features that know the target looks at
    5,000 rows.
    """
    return [
        *_telling(training),
        *_future(training, now),
        *(_both_sides(training) if training.judged is not None else []),
    ]


def backfilled(training: TrainingSet, values: Values, root: Path | None) -> Finding:
    """How many rows would be told something of a view that was not known then, were it joined by event time."""
    by_event = msgspec.structs.replace(values.settings, known="", lag="0s")
    keys = list(dict.fromkeys([*values.settings.on, training.time]))
    rows = training.rows.select(keys)
    one = join_features(rows, [values], time=training.time, root=root)
    other = join_features(rows, [msgspec.structs.replace(values, settings=by_event)], time=training.time, root=root)
    names = one.collect_schema().names()[len(keys) :]
    both = pl.concat([one.select(names), other.select(pl.all().exclude(keys).name.suffix("\0"))], how="horizontal")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}\0")) for name in names)
    count = int(both.select(differs.sum()).collect(engine="streaming").item() or 0)
    told = "1 row" if count == 1 else f"{count:,} rows"
    sentence = f"{told} would have been told values of {values.name} that were not known then; they are not"
    return _finding("joined_as_known", values.name, count, sentence, passed=True, severity="warning")


def _telling(training: TrainingSet) -> Iterator[Finding]:
    """Features that know the target."""
    rows = training.rows.select(*training.features, training.target).filter(pl.col(training.target).is_not_null())
    count = int(rows.select(pl.len()).collect(engine="streaming").item())
    sample = made(every_nth(rows, count // SAMPLE).head(SAMPLE))
    found = leaks(sample, training.features, training.target, training.task)
    if training.task == "regression":
        found |= summands(sample, training.features, training.target)
    for column, why in found.items():
        yield _finding("knows_target", column, 0, f"{column} seems to know the target: {why}", severity="warning")
    if not found:
        yield _finding("knows_target", "", 0, f"no feature knows {training.target} by itself", passed=True)


def _future(training: TrainingSet, now: datetime) -> Iterator[Finding]:
    """Times of features, rows and labels that lie ahead."""
    time, schema = training.time, training.rows.collect_schema()
    asked: dict[tuple[str, str], pl.Expr] = {}
    if time:
        asked["row_after_now", time] = pl.col(time) > now
        times = [name for name in training.features if isinstance(schema[name], pl.Datetime)]
        asked |= {("feature_after_row", name): pl.col(name) > pl.col(time) for name in times}
        if training.label_time:
            asked["label_before_row", training.label_time] = pl.col(training.label_time) < pl.col(time)
    if not asked:
        return
    counts = training.rows.select(wrong.sum().alias(str(place)) for place, wrong in enumerate(asked.values())).collect(
        engine="streaming"
    )
    for place, (what, column) in enumerate(asked):
        rows = int(counts[str(place)][0] or 0)
        yield _finding(what, column, rows, _FUTURE[what].format(column=column, rows=f"{rows:,}"), passed=not rows)


_FUTURE = {
    "row_after_now": "{rows} rows happen after now, by {column}",
    "feature_after_row": "in {rows} rows {column} lies after the row's own time",
    "label_before_row": "in {rows} rows the label was known, by {column}, before the row happened",
}


def _both_sides(training: TrainingSet) -> Iterator[Finding]:
    """Rows of one key, equal rows, and times, on both sides of the split."""
    assert training.judged is not None, "asked for where rows are judged"
    judged = training.rows.filter(training.judged)
    learnt = training.rows.filter(~training.judged if training.learnt is None else training.learnt)
    if training.key:
        shared = _shared(learnt, judged, training.key)
        sentence = f"{shared:,} rows that are judged on have their key among those learnt from"
        yield _finding("key_on_both_sides", "", shared, sentence, passed=not shared)
    if training.features:
        compared = [*training.features, training.target]
        shared = _shared(learnt, judged, compared)
        sentence = f"{shared:,} rows that are judged on equal one that is learnt from, in all features and the target"
        yield _finding("equal_on_both_sides", "", shared, sentence, passed=not shared, severity="warning")
    if training.time:
        yield from _order(training, learnt, judged)


def _order(training: TrainingSet, learnt: pl.LazyFrame, judged: pl.LazyFrame) -> Iterator[Finding]:
    first = judged.select(pl.col(training.time).min()).collect(engine="streaming").item()
    if first is None:
        return
    time, labels = pl.col(training.time), pl.col(training.label_time or training.time)
    counts = learnt.select((time >= first).sum().alias("later"), (labels > first).sum().alias("labels")).collect(
        engine="streaming"
    )
    later, labelled = int(counts["later"][0] or 0), int(counts["labels"][0] or 0)
    sentence = (
        f"{later:,} rows that are learnt from happened after the first that is judged on ({first:%Y-%m-%d %H:%M})"
    )
    yield _finding("learnt_after_judged", training.time, later, sentence, passed=not later, severity="warning")
    if training.label_time:
        sentence = f"{labelled:,} rows are learnt from whose label was not known when the first was judged"
        yield _finding("label_after_judged", training.label_time, labelled, sentence, passed=not labelled)


def _shared(learnt: pl.LazyFrame, judged: pl.LazyFrame, columns: Sequence[str]) -> int:
    """How many judged rows have a twin in these columns among those learnt from; nulls are equal."""
    here = judged.select(pl.struct(columns).hash().alias(_SAME))
    there = learnt.select(pl.struct(columns).hash().alias(_SAME)).unique()
    return int(here.join(there, on=_SAME, how="semi").select(pl.len()).collect(engine="streaming").item())


def _finding(
    what: str, column: str, rows: int, sentence: str, *, passed: bool = False, severity: str = "error"
) -> Finding:
    return Finding(
        expectation=what,
        column=column,
        severity="warning" if severity == "warning" else "error",
        passed=passed,
        failing_rows=rows,
        sentence=sentence,
    )
