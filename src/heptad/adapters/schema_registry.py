"""A schema registry over HTTP, as Confluent's, and what speaks its protocol (Redpanda, Karapace, Apicurio)."""

from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from heptad.adapters.http_attempts import AgainError, refuse_passing, repeated
from heptad.core.errors import DataError
from heptad.core.settings import duration
from heptad.data import Registered, RegistryAddress, SchemaRegistry, SourceSettings

_UNKNOWN = 40403
"""The code of an answer that there is no schema of this number; any other 404 may be of another server."""
_REFUSED = {401, 403}


class _Answer(msgspec.Struct):
    """What is asked of `GET /schemas/ids/NUMBER`; `schemaType` is left out for Avro."""

    schema: str
    schemaType: str = "AVRO"  # noqa: N815 - theirs
    references: list[Any] = []


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
        response = httpx.get(
            f"{self._where}/schemas/ids/{number}",
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
                if msgspec.json.decode(response.content, type=_Trouble).error_code == _UNKNOWN:
                    return None
            elif response.status_code == httpx.codes.OK:
                found = msgspec.json.decode(response.content, type=_Answer)
                return Registered(found.schemaType, found.schema, bool(found.references))
        except msgspec.DecodeError as error:
            if response.status_code == httpx.codes.OK:
                raise AgainError(f"what the server answered is no schema: {error}") from error
        raise DataError(
            f"{self._where} is no schema registry: it answered {response.status_code} for schema {number}.",
            allowed="the address of one in [sources.NAME] registry, with the path that it has",
        )


if TYPE_CHECKING:
    _: type[SchemaRegistry] = HttpSchemaRegistry
