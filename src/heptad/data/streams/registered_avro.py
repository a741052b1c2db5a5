"""Avro messages that begin with the number of their schema in a registry (the wire format of Confluent)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import polars as pl

from heptad.core.errors import DataError
from heptad.data.streams.avro import AvroDecoder
from heptad.data.streams.decoding import Decoded
from heptad.data.streams.fields import FieldPath, Kind
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.registry import OtherKind

_HEADER = 5
"""A zero byte, and four bytes with a number, the greatest first."""
_HEADLESS = "not Avro of a registry: it does not begin with a zero byte and the number of its schema"


class SchemasByNumber(Protocol):
    """What `Schemas` answers: the schema of a number, or why there is none."""

    def of(self, number: int) -> dict[str, Any] | str: ...


_Read: TypeAlias = AvroDecoder | str


class RegisteredAvroDecoder:
    """One record a message, each by the schema that it names.

    Schemas of one topic come and go with its producers. Their fields become columns as `policy` says, in the order in
    which they first come; a schema that it refuses makes poison of its own messages, with what is refused.
    """

    def __init__(
        self, present: Mapping[FieldPath, Kind], schemas: SchemasByNumber, policy: ChangePolicy | None = None
    ) -> None:
        self._schemas, self._policy = schemas, policy or ChangePolicy()
        self._fields = dict(present)
        self._readers: dict[int, _Read] = {}

    @property
    def fields(self) -> dict[FieldPath, Kind]:
        return dict(self._fields)

    def decode(self, payloads: Sequence[bytes]) -> Decoded:
        """Raises `UnavailableError` and `DataError` of the registry, before anything is decided.

        `DataError` also where the topic begins with schemas of other kinds than Avro: all of it would be poison.
        """
        rejected: dict[int, str] = {}
        places: dict[int, list[int]] = {}
        for place, payload in enumerate(payloads):
            if len(payload) < _HEADER or payload[0]:
                rejected[place] = _HEADLESS
            else:
                places.setdefault(int.from_bytes(payload[1:_HEADER]), []).append(place)
        parts, kept = [pl.DataFrame()], list[int]()
        for number, reader in self._settled(places).items():
            own = places[number]
            if isinstance(reader, str):
                rejected |= dict.fromkeys(own, reader)
                continue
            found = reader.decode([payloads[place] for place in own])
            rejected |= {own[place]: why for place, why in found.rejected.items()}
            kept += [own[place] for place in found.places]
            parts.append(found.rows)
        order = sorted(range(len(kept)), key=kept.__getitem__)
        rows = pl.concat(parts, how="diagonal")
        return Decoded(rows=rows[order], places=sorted(kept), rejected=rejected)

    def _settled(self, numbers: Iterable[int]) -> dict[int, _Read]:
        """For each number who reads its messages, or why nobody does, once all of them have made their columns."""
        schemas = {number: self._schemas.of(number) for number in numbers if number not in self._readers}
        if schemas and not self._fields and all(isinstance(one, OtherKind) for one in schemas.values()):
            raise DataError(
                f"The messages are not in Avro: {next(iter(schemas.values()))}.",
                allowed='Avro; messages of JSON without a number before them, with format = "json"',
                remedy="let somebody write the topic in one of them",
            )
        before = dict(self._fields)
        for number, schema in schemas.items():
            reader = self._reader(number, schema)
            if isinstance(reader, AvroDecoder):
                self._fields = reader.fields
        if self._fields != before:
            # Those of before are made anew for the columns that there are now.
            schemas |= {number: self._schemas.of(number) for number in self._readers}
        made = {number: self._reader(number, schema) for number, schema in schemas.items()}
        # That there is none is asked again: it may be registered by then.
        self._readers |= {number: one for number, one in made.items() if isinstance(schemas[number], dict)}
        return {number: self._readers.get(number) or made[number] for number in numbers}

    def _reader(self, number: int, schema: dict[str, Any] | str) -> _Read:
        if isinstance(schema, str):
            return schema
        try:
            return AvroDecoder(self._fields, schema, number, self._policy)
        except DataError as error:
            return error.problem.replace("The schema of the messages", f"schema {number}").rstrip(".")[:300]
