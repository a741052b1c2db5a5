"""Log entries as a table: the columns of the prediction log."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from heptad.data import ColumnType
from heptad.serving.column_names import original_name
from heptad.serving.log_rows import INPUT, LAYOUT, STRINGS, Layout, decode_layout
from heptad.serving.messages import Entries

_SHADOWS = pl.List(pl.Struct({"version": pl.String(), "score": pl.Float64()}))
_PROBABILITIES = pl.List(pl.Float64())
_NOTHING = Entries(
    at=0,
    caller="",
    generation=0,
    version="",
    role="live",
    latency_ms=0.0,
    ids=[],
    labels=[],
    scores=[],
    inputs=msgspec.Raw(msgspec.msgpack.encode([])),
)
"""A request without a row: its frame has every column that does not depend on inputs."""


def frame_of(entries: Sequence[Entries], endpoint: str) -> pl.DataFrame:
    """One row a prediction; requests that were answered in the same way stay in their order."""
    alike: dict[tuple[bytes, bool, tuple[str, ...]], list[Entries]] = {}
    for one in entries or [_NOTHING]:
        alike.setdefault((bytes(one.inputs), bool(one.probabilities), tuple(one.shadows)), []).append(one)
    return pl.concat([_frame(group, endpoint) for group in alike.values()], how="diagonal_relaxed")


def _frame(entries: Sequence[Entries], endpoint: str) -> pl.DataFrame:
    """Requests with the same inputs and shadows: what a request has once is repeated for its rows."""
    layout = decode_layout(entries[0].inputs)
    requests = pl.DataFrame(
        {
            "at": pl.Series([one.at for one in entries], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            "caller": [one.caller for one in entries],
            "endpoint": [endpoint] * len(entries),
            "generation": [one.generation for one in entries],
            "version": [one.version for one in entries],
            "role": [one.role for one in entries],
            "latency_ms": [one.latency_ms for one in entries],
            LAYOUT: [msgspec.json.encode(layout).decode()] * len(entries),
        }
    )
    rows = requests[np.repeat(np.arange(len(entries)), [len(one.ids) for one in entries])]
    answers = [
        pl.Series("id", [identity for one in entries for identity in one.ids], dtype=pl.String),
        pl.Series("label", [_label_text(label) for one in entries for label in one.labels], dtype=pl.String),
        pl.Series("score", [score for one in entries for score in one.scores], dtype=pl.Float64),
        _probabilities(entries),
        _warnings(entries),
        _shadows(entries),
    ]
    return rows.with_columns(answers).with_columns(_inputs(entries, layout))


def _label_text(label: str | float) -> str:
    """The class; a number in the shortest form that reads back as the same number."""
    return label if isinstance(label, str) else repr(float(label))


# Lists of lists, given to Polars as they are, would be looked at one by one: columns are built whole instead.


def _probabilities(entries: Sequence[Entries]) -> pl.Series:
    if not entries[0].probabilities:
        return pl.repeat(None, sum(len(one.ids) for one in entries), dtype=_PROBABILITIES, eager=True).alias(
            "probabilities"
        )
    rows = np.array([row for one in entries for row in one.probabilities])
    return pl.Series("probabilities", rows).cast(_PROBABILITIES)


def _warnings(entries: Sequence[Entries]) -> pl.Series:
    rows: list[int] = []
    said: list[str] = []
    first = 0
    for one in entries:
        for place, texts in one.warnings.items():
            rows += [first + place] * len(texts)
            said += texts
        first += len(one.ids)
    every = pl.DataFrame({"row": pl.int_range(first, dtype=pl.Int64, eager=True)})
    some = pl.DataFrame({"row": rows, "warnings": said}, schema={"row": pl.Int64, "warnings": pl.String})
    lists = some.group_by("row", maintain_order=True).agg("warnings")
    joined = every.join(lists, on="row", how="left", maintain_order="left")["warnings"]
    return joined.fill_null(pl.Series([[]], dtype=pl.List(pl.String)).first())


def _shadows(entries: Sequence[Entries]) -> pl.Series:
    scores = pl.DataFrame(
        {label: [score for one in entries for score in one.shadows[label]] for label in entries[0].shadows},
        schema=dict.fromkeys(entries[0].shadows, pl.Float64),
    )
    if not scores.columns:
        nobody = pl.Series([[]], dtype=_SHADOWS)
        return nobody.new_from_index(0, sum(len(one.ids) for one in entries)).alias("shadows")
    structs = [pl.struct(version=pl.lit(label), score=pl.col(label)) for label in scores.columns]
    return scores.select(shadows=pl.concat_list(structs).cast(_SHADOWS)).to_series()


def _inputs(entries: Sequence[Entries], layout: Layout) -> list[pl.Series]:
    return [_input(name, kind, [one.columns[place] for one in entries]) for place, (name, kind) in enumerate(layout)]


def _input(name: str, kind: ColumnType, parts: Sequence[Any]) -> pl.Series:
    if kind in STRINGS:
        return pl.Series(INPUT + name, [cell for part in parts for cell in part], dtype=pl.String)
    numbers = pl.Series(INPUT + name, np.frombuffer(b"".join(parts), dtype=np.float64)).fill_nan(None)
    if kind == "boolean":
        return numbers.cast(pl.Boolean)
    if kind == "datetime":
        # Seconds since 1970 as a float are exact to the microsecond until the year 2255.
        return (numbers * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    return numbers


def with_inputs(log: pl.LazyFrame) -> pl.LazyFrame:
    """The log as it is read: the inputs in one struct column `inputs`, left out where none are kept."""
    names = [name for name in log.collect_schema().names() if name.startswith(INPUT)]
    fields = [pl.col(name).alias(original_name(name).removeprefix(INPUT)) for name in names]
    inputs = [pl.struct(fields).alias("inputs")] if fields else []
    return log.select(pl.exclude([*names, LAYOUT]), *inputs)
