"""Avro messages by one schema: bare records, single-object encoding, or with the number that a registry gave it."""

import io
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError, SettingsError
from heptad.core.files import confined
from heptad.data.columns.column_types import Dates, conform
from heptad.data.sources.avro import avro_library, avro_types, plain_record
from heptad.data.sources.formats import flattened
from heptad.data.sources.settings import SourceSettings
from heptad.data.streams.decoding import PAYLOAD_BYTES, Decoded
from heptad.data.streams.fields import POLARS, FieldPath, Kind, column_of, unfit
from heptad.data.streams.policies import ChangePolicy

_SINGLE = b"\xc3\x01"
"""How a message in Avro's single-object encoding begins; eight bytes follow that tell its schema."""
_KINDS = {kind: name for name, kind in POLARS.items() if name != "json"}
_BROKEN = (ValueError, EOFError, IndexError, TypeError, KeyError, struct.error, OverflowError, RecursionError)
"""What reading raises where bytes are not those of the schema; decoding text is among the value errors."""


def read_schema(settings: SourceSettings, root: Path) -> dict[str, Any]:
    """The schema in the file that `schema` names; raises `SettingsError` where it names none."""
    if not settings.schema:
        raise SettingsError(
            "[sources.NAME] schema is missing, which messages in Avro are read with.", allowed='schema = "FILE.avsc"'
        )
    path = confined(root, settings.schema)
    try:
        schema: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise DataError(
            f"{settings.schema} cannot be read: {error.strerror}.", allowed="a file in the project"
        ) from error
    except msgspec.DecodeError as error:
        raise DataError(f"{settings.schema} is no Avro schema: {error}.", allowed="a record, as JSON") from error
    return schema


class AvroDecoder:
    """One record a message, written with exactly this schema.

    `schema_id`: each message begins with a zero byte and this number in four, as schema registries have it. A message
    of another schema goes to quarantine: its fields cannot be told.
    """

    def __init__(
        self,
        present: Mapping[FieldPath, Kind],
        schema: Mapping[str, Any],
        schema_id: int | None = None,
        policy: ChangePolicy | None = None,
    ) -> None:
        """`present` are the columns that earlier messages made; those stay, also where the schema has none of them.

        `policy`: what is done where the schema has others; what it refuses is a `DataError`, since it concerns every
        message and not one.
        """
        avro = avro_library("The stream")
        try:
            self._schema = avro.parse_schema(dict(schema))
            form = avro.schema.to_parsing_canonical_form(dict(schema))
        except (avro.schema.SchemaParseException, avro.schema.UnknownType, KeyError, TypeError) as error:
            raise DataError(f"The schema of the messages is no Avro schema: {error}.", allowed="a record") from error
        self._read = avro.schemaless_reader
        self._types = avro_types(self._schema, "the schema")
        self._single = _SINGLE + bytes.fromhex(avro.schema.fingerprint(form, "CRC-64-AVRO"))
        self._header = b"" if schema_id is None else b"\0" + schema_id.to_bytes(4, "big")
        own: dict[FieldPath, Kind] = {(name,): _KINDS[kind] for name, kind in self._stored([]).schema.items()}
        self._fields = _settled(present, own, policy or ChangePolicy())

    @property
    def fields(self) -> dict[FieldPath, Kind]:
        return self._fields

    def decode(self, payloads: Sequence[bytes]) -> Decoded:
        records: dict[int, Any] = {}
        rejected: dict[int, str] = {}
        for place, payload in enumerate(payloads):
            try:
                records[place] = plain_record(self._record(payload))
            except _BROKEN as error:
                rejected[place] = f"not Avro of the schema: {str(error) or 'it ends early'}"[:200]
        stored = self._stored(list(records.values()))
        stored = stored.select(name for name in stored.columns if (name,) in self._fields)
        rows = stored.with_columns(_as_kind(one, self._fields[one.name,]) for one in stored)
        lost = {name: rows[name].is_null() & stored[name].is_not_null() for name in rows.columns}
        places = list(records)
        for name, which in lost.items():
            reason = f"field {name}: its value cannot be read as before, which on_change wants"
            rejected |= {places[row]: reason for row in which.arg_true().to_list()}
        kept = [row for row, place in enumerate(places) if place not in rejected]
        return Decoded(rows=rows[kept], places=[places[row] for row in kept], rejected=rejected)

    def _record(self, payload: bytes) -> Any:
        if len(payload) > PAYLOAD_BYTES:
            raise ValueError(f"longer than {PAYLOAD_BYTES >> 20} MiB")
        start = 0
        if self._header:
            if not payload.startswith(self._header):
                raise ValueError(
                    f"it does not begin with the number {int.from_bytes(self._header[1:], 'big')} of its schema"
                )
            start = len(self._header)
        elif payload.startswith(self._single):
            start = len(self._single)
        stream = io.BytesIO(payload)
        stream.seek(start)
        record = self._read(stream, self._schema, None)
        if stream.tell() != len(payload):
            raise ValueError(f"{len(payload) - stream.tell()} bytes are left over")
        return record

    def _stored(self, records: list[Any]) -> pl.DataFrame:
        rows = pl.DataFrame(records, schema=self._types, strict=False, orient="row")
        flat, _ = flattened(rows.lazy())
        stored, _ = conform(flat, {}, Dates())
        return stored.collect()


def _settled(
    present: Mapping[FieldPath, Kind], own: Mapping[FieldPath, Kind], policy: ChangePolicy
) -> dict[FieldPath, Kind]:
    """The columns as a schema and the policy leave them; raises `DataError` with what is refused."""
    refused = [
        *(f"{one[0]} is gone" for one in present if one not in own and policy.of(one, "dropped") == "refuse"),
        *(f"{one[0]} is new" for one in own if one not in present and _is_refused(one, present, policy)),
    ]
    fields, taken = dict(present), {column_of(one).lower() for one in present}
    for path, kind in own.items():
        if path not in present:
            if not present or policy.of(path, "added") == "accept":
                refused += filter(None, [unfit(path, taken)])
                fields[path] = kind
                taken.add(column_of(path).lower())
            continue
        done, numbers = policy.of(path, "retyped"), {present[path], kind} == {"integer", "number"}
        if numbers and done in {"accept", "widen"}:
            fields[path] = "number"
        elif present[path] != kind and done == "accept":
            fields[path] = "text"
        elif present[path] != kind and done != "coerce":
            refused.append(f"{path[0]} is {kind} in the schema, and {present[path]} in what has landed")
    if not refused and not own.keys() & fields.keys():
        refused.append("none of its fields is a column")
    if refused:
        raise DataError(
            f"The schema of the messages is refused: {'; '.join(refused)}.",
            allowed="a schema that changes what [sources.NAME.on_change] accepts or coerces",
        )
    return fields


def _is_refused(path: FieldPath, present: Mapping[FieldPath, Kind], policy: ChangePolicy) -> bool:
    """The first schema makes the columns and is asked nothing."""
    return bool(present) and policy.of(path, "added") == "refuse"


def _as_kind(values: pl.Series, kind: Kind) -> pl.Series:
    """Values as a column of this kind has them; null where one would be lost."""
    if values.dtype == POLARS[kind]:
        return values
    if kind == "integer" and values.dtype == pl.Float64:
        return values.set(values != values.round(), None).cast(pl.Int64, strict=False)
    if kind == "boolean":
        return values.cast(pl.String).str.to_lowercase().replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
    return values.cast(POLARS[kind], strict=False)


_TRUTHS = {"true": True, "false": False}
