"""A schema registry over HTTP, as Confluent's, and what speaks its protocol (Redpanda, Karapace, Apicurio)."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import msgspec

from heptad.adapters.http_attempts import AgainError, refuse_passing, repeated
from heptad.core.errors import DataError
from heptad.core.settings import duration
from heptad.data import Registered, RegistryAddress, SchemaRegistry, SourceSettings

_UNKNOWN = 40403
"""The code of an answer that there is no schema of this number; any other 404 may be of another server."""
_NO_VERSION = {40401, 40402, 40403}
_REFUSED = {401, 403}
_MOST = 100
"""So many schemas at most does one refer to, directly or not."""


class _Reference(msgspec.Struct, frozen=True):
    subject: str
    version: int


class _Answer(msgspec.Struct):
    """What is asked of `GET /schemas/ids/NUMBER`; `schemaType` is left out for Avro."""

    schema: str
    schemaType: str = "AVRO"  # noqa: N815 - theirs
    references: list[_Reference] = []


class _Trouble(msgspec.Struct):
    error_code: int = 0


class HttpSchemaRegistry:
    """`http://host:8081` or `https://user:${PASSWORD}@host/path`; a user and password mean basic authentication."""

    def __init__(self, address: RegistryAddress, settings: SourceSettings) -> None:
        self._where = address.where
        self._auth = httpx.BasicAuth(address.user, address.password) if address.user else None
        self._secrets = [address.password]
        # Attempts are told as those of the registry, and not of the broker.
        self._settings = msgspec.structs.replace(settings, uri=f"The schema registry {address.where}")

    def schema(self, number: int) -> Registered | None:
        return repeated(lambda: self._ask(number), self._settings, self._secrets)

    def _ask(self, number: int) -> Registered | None:
        found = self._answer(f"schemas/ids/{number}", {_UNKNOWN})
        if found is None:
            return None
        named: dict[_Reference, str] = {}
        if found.schemaType == "AVRO":  # of others nothing is read
            self._follow(found.references, named)
        return Registered(found.schemaType, found.schema, list(named.values()))

    def _follow(self, references: Sequence[_Reference], named: dict[_Reference, str]) -> None:
        """Adds the texts of schemas that others refer to, each behind those that it refers to itself."""
        for one in references:
            if one in named:
                continue
            if len(named) >= _MOST:
                raise DataError(f"A schema at {self._where} refers to more than {_MOST} others.", allowed="fewer")
            path = f"subjects/{quote(one.subject, safe='')}/versions/{one.version}"
            found = self._answer(path, _NO_VERSION)
            if found is None:
                raise DataError(
                    f"{self._where} has no version {one.version} of {one.subject}, which another schema refers to.",
                    allowed="a registry that keeps what its schemas refer to",
                )
            self._follow(found.references, named)
            named[one] = found.schema

    def _answer(self, path: str, unknown: Collection[int]) -> _Answer | None:
        response = httpx.get(
            f"{self._where}/{path}",
            auth=self._auth,
            timeout=duration(self._settings.timeout).total_seconds(),
            headers={"Accept": "application/vnd.schemaregistry.v1+json, application/json"},
        )
        refuse_passing(response)
        if response.status_code in _REFUSED:
            raise DataError(
                f"{self._where} does not let this reader in: {response.status_code} {response.reason_phrase}.",
                allowed='[sources.NAME] registry = "https://user:${PASSWORD}@host", of a user who may read schemas',
            )
        try:
            if response.status_code == httpx.codes.NOT_FOUND:
                if msgspec.json.decode(response.content, type=_Trouble).error_code in unknown:
                    return None
            elif response.status_code == httpx.codes.OK:
                return msgspec.json.decode(response.content, type=_Answer)
        except msgspec.DecodeError as error:
            if response.status_code == httpx.codes.OK:
                raise AgainError(f"what the server answered is no schema: {error}") from error
        raise DataError(
            f"{self._where} is no schema registry: it answered {response.status_code} for {path}.",
            allowed="the address of one in [sources.NAME] registry, with the path that it has",
        )


if TYPE_CHECKING:
    _: type[SchemaRegistry] = HttpSchemaRegistry
