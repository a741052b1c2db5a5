"""Single predictions out of log entries and out of rows of the table, without what whole tables need."""

import math
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from heptad.data import ColumnType
from heptad.serving.column_names import original_name
from heptad.serving.messages import Entries
from heptad.serving.records import Prediction

TABLE = "predictions"
INPUT = "input_"
"""Begins the name of a column that holds an input; every input of any version has its own."""
LAYOUT = "layout"
"""Column with the names and types of the inputs that the row's version takes, as JSON."""
STRINGS = frozenset({"category", "text"})
Layout: TypeAlias = list[tuple[str, ColumnType]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
decode_layout = msgspec.msgpack.Decoder(Layout).decode
_json_layout = msgspec.json.Decoder(Layout)


def prediction_of(row: dict[str, Any]) -> Prediction:
    """One row of the table of predictions as a record."""
    cells = {original_name(column): value for column, value in row.items()}
    return Prediction(
        inputs={name: _of_table(cells[INPUT + name], kind) for name, kind in _json_layout.decode(row[LAYOUT])},
        shadows={one["version"]: one["score"] for one in row["shadows"] if one["score"] is not None},
        probabilities=row["probabilities"] or [],
        label=float(row["label"]) if row["probabilities"] is None else row["label"],
        **{
            name: row[name]
            for name in ("id", "at", "caller", "endpoint", "generation", "version", "role", "score", "warnings")
        },
        latency_ms=row["latency_ms"],
    )


def prediction_at(entries: Entries, place: int, endpoint: str) -> Prediction:
    """The same of one row of a request in the journal."""
    layout = decode_layout(entries.inputs)
    return Prediction(
        id=entries.ids[place],
        at=EPOCH + timedelta(microseconds=entries.at),
        caller=entries.caller,
        endpoint=endpoint,
        generation=entries.generation,
        version=entries.version,
        role=entries.role,
        inputs={
            name: _of_entry(cells, place, kind) for (name, kind), cells in zip(layout, entries.columns, strict=False)
        },
        label=entries.labels[place],
        score=entries.scores[place],
        probabilities=entries.probabilities[place] if entries.probabilities else [],
        shadows={label: score for label, some in entries.shadows.items() if (score := some[place]) is not None},
        warnings=entries.warnings.get(place, []),
        latency_ms=entries.latency_ms,
    )


def _of_table(value: Any, kind: ColumnType) -> Any:
    """A cell as a client would send it; a column that had two types over time is kept as text."""
    if value is None or kind in STRINGS:
        return value
    if kind == "boolean":
        return value in {True, "true"}
    if kind == "datetime":
        return value
    return int(float(value)) if kind == "integer" else float(value)


def _of_entry(cells: bytes | list[str | None], place: int, kind: ColumnType) -> Any:
    if isinstance(cells, list):
        return cells[place]
    (number,) = struct.unpack_from("d", cells, 8 * place)
    if math.isnan(number):
        return None
    if kind == "boolean":
        return bool(number)
    if kind == "datetime":
        # Seconds since 1970 as a float are exact to the microsecond until the year 2255.
        return EPOCH + timedelta(microseconds=round(number * 1e6))
    return int(number) if kind == "integer" else number
