"""Payloads to typed columns, a batch at a time; a message that does not fit is told apart with its reason."""

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import msgspec
import polars as pl

from heptad.data.streams.fields import (
    POLARS,
    FieldPath,
    Kind,
    Tree,
    column_of,
    grown,
    kind_of,
    leaves,
    message_type,
    tree_of,
    unfit,
)
from heptad.data.streams.policies import ChangePolicy, written_out

ASKED = 1_000
"""So many messages are asked at once what they add."""
PAYLOAD_BYTES = 16 << 20
"""The longest payload that is read; what is longer goes to quarantine."""


class Decoded(msgspec.Struct, kw_only=True):
    """What a batch held: typed rows, the place of each in the batch, and the reason for every place that is no row."""

    rows: pl.DataFrame
    places: list[int]
    rejected: dict[int, str]


class Decoder(Protocol):
    """Reads payloads; `fields` are the columns that its rows have, which never go away and never get narrower.

    With the columns that a batch has led to, each of its messages is read or rejected as it was in the batch, in
    whichever batches they come again, and none of them adds a column.
    """

    @property
    def fields(self) -> dict[FieldPath, Kind]: ...

    def decode(self, payloads: Sequence[bytes]) -> Decoded: ...


class JsonDecoder:
    """One JSON object a message. Objects inside become columns `outer.inner`, lists columns of JSON text."""

    def __init__(self, fields: Mapping[FieldPath, Kind], policy: ChangePolicy | None = None) -> None:
        """`policy`: what is done with messages whose fields are others than those of `fields`."""
        self._policy = policy or ChangePolicy()
        self._learn(tree_of(fields))

    @property
    def fields(self) -> dict[FieldPath, Kind]:
        return dict(leaves(self._tree))

    def decode(self, payloads: Sequence[bytes]) -> Decoded:
        if not self.fields:
            self._learn_from(range(min(ASKED, len(payloads))), payloads)
        messages, odd, rejected = self._read(payloads)
        while odd and self._grow(odd, payloads):
            messages, odd, rejected = self._read(payloads)
        rejected |= {place: self._reason(payloads[place]) for place in odd}
        rows = pl.DataFrame(list(_columns(self._tree, self._type, list(messages.values()))))
        return Decoded(rows=rows, places=list(messages), rejected=rejected)

    def _grow(self, odd: Sequence[int], payloads: Sequence[bytes]) -> bool:
        """Learns the fields of messages that then fit; whether there were any.

        Of a new field, the kind is asked of many messages first, so that one odd message does not make poison of the
        rest; then of those that say the same. So none is left that would be learnt from if it came among others.
        """
        return self._learn_from(odd[:ASKED], payloads) or any(
            self._learn_from(some, payloads) for some in self._alike(odd, payloads)
        )

    def _learn_from(self, some: Sequence[int], payloads: Sequence[bytes]) -> bool:
        plain = {place: value for place in some if isinstance(value := _plain(payloads[place]), dict)}
        tree = self._grown(list(plain.values()))
        if tree != self._tree:
            kind = message_type(tree, self._policy)
            tree = self._grown([one for one in plain.values() if _fits(kind, self._policy.mended(tree, one))])
        changed = tree != self._tree
        if changed:
            self._learn(tree)
        return changed

    def _grown(self, messages: Sequence[Mapping[str, Any]]) -> Tree:
        return self._policy.admitted(self._tree, grown(self._tree, messages, self._policy))

    def _mended(self, payload: bytes) -> msgspec.Struct | None:
        """The message as it fits when what has changed in it is left out or read as before; `None`: it does not."""
        plain = _plain(payload) if self._policy.mends else None
        if not isinstance(plain, dict):
            return None
        try:
            return msgspec.convert(self._policy.mended(self._tree, plain), self._type)
        except msgspec.ValidationError:
            return None

    def _alike(self, odd: Sequence[int], payloads: Sequence[bytes]) -> Iterator[list[int]]:
        """The places of messages that have the same to add."""
        alike: dict[bytes, list[int]] = {}
        for place in odd:
            if isinstance(value := _plain(payloads[place]), dict):
                alike.setdefault(msgspec.json.encode(self._grown([value])), []).append(place)
        yield from alike.values()

    def _learn(self, tree: Tree) -> None:
        self._tree, self._type = tree, message_type(tree, self._policy)
        self._decoder = msgspec.json.Decoder(self._type)

    def _read(self, payloads: Sequence[bytes]) -> tuple[dict[int, msgspec.Struct], list[int], dict[int, str]]:
        """Messages by place; places of those that are JSON of another shape; reasons for what is no JSON."""
        messages: dict[int, msgspec.Struct] = {}
        odd: list[int] = []
        rejected: dict[int, str] = {}
        decode = self._decoder.decode
        for place, payload in enumerate(payloads):
            try:
                messages[place] = decode(payload)
            except msgspec.ValidationError:
                mended = self._mended(payload)
                if mended is None:
                    odd.append(place)
                else:
                    messages[place] = mended
            except _NO_JSON as error:
                rejected[place] = _no_json(payload, error)
            if len(payload) > PAYLOAD_BYTES:
                messages.pop(place, None)
                rejected[place] = f"longer than {PAYLOAD_BYTES >> 20} MiB"
        return messages, [place for place in odd if place not in rejected], rejected

    def _reason(self, payload: bytes) -> str:
        plain = _plain(payload)
        if plain is _BROKEN:
            return _no_json(payload, "it breaks off, or is malformed")
        if not isinstance(plain, dict):
            return f"not an object but {'null' if plain is None else _WORDS[kind_of(plain)]}"
        taken = {column_of(path).lower() for path, _ in leaves(self._tree)}
        for path in _unknown(self._tree, plain):
            why = unfit(path, taken)
            if why:
                return why
            if self._policy.of(path, "added") == "refuse":
                return f"field {column_of(path)} is new, which on_change refuses"
        try:
            self._decoder.decode(payload)
        except msgspec.ValidationError as error:
            return _in_words(str(error))
        raise AssertionError("unreachable")


_BROKEN = object()
"""What is left of a payload whose beginning does not fit and whose end is no JSON."""
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _fits(kind: type[msgspec.Struct], message: Mapping[str, Any]) -> bool:
    try:
        msgspec.convert(message, kind)
    except msgspec.ValidationError:
        return False
    return True


def _plain(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except _NO_JSON:
        return _BROKEN


def _no_json(payload: bytes, why: object) -> str:
    return f"not JSON: {why}"[:200] if payload else "empty"


def _unknown(tree: Tree, message: Mapping[str, Any], above: FieldPath = ()) -> Iterator[FieldPath]:
    for name, value in message.items():
        known = tree.get(name, "null")
        if known == "null" and value is not None:
            yield (*above, name)
        elif isinstance(known, dict) and isinstance(value, dict):
            yield from _unknown(known, value, (*above, name))


_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "text": "a text",
    "json": "a list",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `\$\.?(.*)`)?")
_MISFIT = re.compile(r"Expected `(.+?)`, got `(.+?)`(?: - at `\$\.?(.*)`)?")


def _in_words(error: str) -> str:
    """What does not fit, without the value: reasons are shown where payloads need not be."""
    found = _MISFIT.fullmatch(error)
    if not found:
        missing = _MISSING.fullmatch(error)
        if missing:
            above = f"{missing[2]}." if missing[2] else ""
            return f"field {above}{missing[1]} is missing, which on_change refuses"
        told = error.replace(" - at `$.", " in field ").replace("`", "")
        return told.replace("Expected int <= 9223372036854775807", "an integer of more than 64 bits")
    wanted = " or ".join(_WORDS.get(one, one) for one in found[1].split(" | ") if one != "null") or "nothing"
    return f"field {found[3]}: expected {wanted}, got {_WORDS.get(found[2], found[2])}"


def _columns(
    tree: Tree, kind: type[msgspec.Struct], messages: Sequence[Any], above: FieldPath = ()
) -> Iterator[pl.Series]:
    """The columns of messages, in the order of `leaves`."""
    for (name, known), field in zip(tree.items(), msgspec.structs.fields(kind), strict=True):
        path = (*above, name)
        column = list(map(attrgetter(field.name), messages))
        if isinstance(known, dict):
            inner = field.type.__args__[0]
            missing = msgspec.convert(dict.fromkeys(known), inner)
            yield from _columns(known, inner, [missing if one is None else one for one in column], path)
        elif known == "json":
            texts = [None if one is None else msgspec.json.encode(one).decode() for one in column]
            yield pl.Series(column_of(path), texts, dtype=pl.String)
        elif known == "text" and float in field.type.__args__:
            yield pl.Series(column_of(path), list(map(written_out, column)), dtype=pl.String)
        elif known != "null":
            yield pl.Series(column_of(path), column, dtype=POLARS[known])
