"""Schemas of a registry by their numbers: asked for once, and kept beside the table that messages land in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from heptad.core import catalogue
from heptad.core.errors import SettingsError
from heptad.core.files import write_atomically
from heptad.core.secrets import reveal
from heptad.data.sources.credentials import refuse_secrets_in
from heptad.data.sources.settings import SourceSettings

KEPT = "_registered.json"
"""Names that begin like this are no part of a Delta table."""


class Registered(msgspec.Struct, frozen=True):
    """A schema as a registry has it: a text of a kind such as `AVRO`.

    `named`: the texts of those that it refers to, each behind those that it refers to itself.
    """

    kind: str
    text: str
    named: list[str] = []


class OtherKind(str):
    """Why a schema reads nothing: it is whole, and of another kind than Avro."""

    __slots__ = ()


class RegistryAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a registry is; nothing secret is in `where`, which messages call it by."""

    where: str
    user: str = ""
    password: str = ""


class SchemaRegistry(Protocol):
    """Made as `RegistryType(address, settings)`. A number means one schema for ever.

    Errors: `UnavailableError` where it does not answer, `DataError` where it refuses this reader or is no registry.
    """

    def schema(self, number: int) -> Registered | None:
        """The schema of this number, with those that it refers to; `None` where the registry says that it has none."""
        ...


class _Kept(msgspec.Struct, frozen=True):
    registry: str
    schemas: dict[int, Registered]


class Schemas:
    """The schemas of one stream. What was read once by a schema can be read again while the registry is away.

    So messages that come again after an accident are decided as before. That a number has no schema is not kept,
    since it may be registered yet.
    """

    def __init__(self, folder: Path, settings: SourceSettings) -> None:
        self._file = folder / KEPT
        self._where = parse_registry(settings.registry).where
        self._registry = open_registry(settings)
        self._known = self._read()

    def of(self, number: int) -> dict[str, Any] | str:
        """The schema of a number as Avro has it, or why there is none."""
        found = self._known.get(number)
        if found is None:
            found = self._registry.schema(number)
            if found is None:
                return f"the registry has no schema {number}"
            self._known[number] = found
            write_atomically(self._file, msgspec.json.encode(_Kept(self._where, self._known)))
        if found.kind != "AVRO":
            return OtherKind(f"schema {number} is of the kind {found.kind[:40]}, and not AVRO")
        try:
            schema, *named = (msgspec.json.decode(text) for text in (found.text, *found.named))
            whole = with_named(schema, named)
        except (msgspec.DecodeError, RecursionError):
            return f"schema {number} cannot be read: it is no JSON"
        return whole if isinstance(whole, dict) else f"schema {number} is no record"

    def _read(self) -> dict[int, Registered]:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (FileNotFoundError, msgspec.DecodeError):
            return {}  # it is only a copy
        return dict(kept.schemas) if kept.registry == self._where else {}


def with_named(schema: Any, named: Sequence[Any]) -> Any:
    """The schema as one: where it first mentions one of the others, there is what that says.

    >>> with_named({"type": "map", "values": "shop.Tax"}, [{"type": "fixed", "name": "Tax", "namespace": "shop"}])
    {'type': 'map', 'values': {'type': 'fixed', 'name': 'Tax', 'namespace': 'shop'}}
    """
    # A name without a namespace would be of the record that it is put into.
    others = [{"namespace": "", **one} for one in named if isinstance(one, dict) and "name" in one]
    return _filled(schema, "", {_full_name(one, ""): one for one in others})


def _filled(schema: Any, namespace: str, others: dict[str, Any]) -> Any:
    if isinstance(schema, str):
        found = others.pop(_full_name({"name": schema}, namespace), None)
        return schema if found is None else _filled(found, "", others)
    if isinstance(schema, list):
        return [_filled(one, namespace, others) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "name" in schema:
        namespace = _full_name(schema, namespace).rpartition(".")[0]
    inside = {key: _filled(schema[key], namespace, others) for key in ("type", "items", "values") if key in schema}
    if isinstance(schema.get("fields"), list):
        inside["fields"] = [
            {**one, "type": _filled(one.get("type"), namespace, others)} if isinstance(one, dict) else one
            for one in schema["fields"]
        ]
    return {**schema, **inside}


def _full_name(schema: Mapping[str, Any], namespace: str) -> str:
    name, within = f"{schema['name']}", schema.get("namespace", namespace)
    return name if "." in name or not within else f"{within}.{name}"


def open_registry(settings: SourceSettings) -> SchemaRegistry:
    """The registry at `registry`, by the scheme of its address."""
    address = parse_registry(settings.registry)
    made: SchemaRegistry = catalogue.find("schema_registry", urlsplit(address.where).scheme)(address, settings)
    return made


def parse_registry(registry: str) -> RegistryAddress:
    """The parts of the setting, secrets filled in.

    Raises `SettingsError` for an address of no server, and for a password that stands in it.
    """
    refuse_secrets_in(registry, setting="registry")
    # Parts are looked up one by one, since a password may hold any sign, but where all of it is a value.
    parts = urlsplit(reveal(registry) if registry.startswith("${") else registry)
    where = reveal(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", "")))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        # It may hold a password, so it is not shown.
        raise SettingsError(
            "[sources.NAME] registry is no address of a schema registry.",
            allowed='registry = "http://host:8081", or "https://user:${PASSWORD}@host"',
        )
    user, password = (reveal(unquote(one or "")) for one in (parts.username, parts.password))
    return RegistryAddress(where=where, user=user, password=password)
