"""A bucket of an object store, opened with the settings of whoever asks, and its errors in our words."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import AzureStore, GCSStore, S3Store

from heptad.core.errors import DataError, HeptadError, SettingsError, UnavailableError
from heptad.core.settings import duration
from heptad.data import reveal_all, without_secrets

_STORES: dict[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_ENDPOINT = {"s3": "endpoint", "gs": "base_url", "az": "endpoint"}
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY",
}

_NO_CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidAccessKeyId|TokenRefreshRequired|/latest/api/token|computeMetadata|169\.254\.169\.254"
)
"""Where none are given, the clients ask the machine's own cloud for some, at these addresses."""

_NO_BUCKET = re.compile("NoSuchBucket|ContainerNotFound")
"""Codes of the stores; what only asks for the head of an object is not told them."""


class Access(Protocol):
    """The settings that say how a store is reached."""

    @property
    def endpoint(self) -> str: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def timeout(self) -> str: ...
    @property
    def retries(self) -> int: ...


class Bucket:
    """One bucket; `store` is what the functions of obstore take. `section` of heptad.toml is where its settings are."""

    def __init__(
        self, scheme: str, name: str, access: Access, section: str, refused: type[HeptadError], prefix: str = ""
    ) -> None:
        self._bucket = f"{scheme}://{name}"
        self.address = self._bucket + (f"/{prefix}" if prefix else "")
        self._scheme = scheme
        self._section = section
        self._error = refused
        self._options = reveal_all(access.options, "options", section)
        options = dict(self._options)
        if access.endpoint:
            options[_ENDPOINT[scheme]] = access.endpoint
        timeout = duration(access.timeout)
        # Where the settings name no endpoint, one without TLS can only be one that the environment names.
        plain = access.endpoint.startswith("http://") or not access.endpoint
        with self.told():
            self.store: Any = _STORES[scheme](
                name,
                prefix=prefix or None,
                config=options,
                client_options={"timeout": timeout, "connect_timeout": timeout, "allow_http": plain},
                retry_config={"max_retries": access.retries, "retry_timeout": timeout * (access.retries + 1)},
            )

    @cached_property
    def is_there(self) -> bool:
        """Whether the store has a bucket of this name: what is not found in it may be missing for that alone."""
        try:
            next(iter(obstore.list(self.store)), None)
        except (BaseError, FileNotFoundError) as error:
            return not _NO_BUCKET.search(str(error))
        return True

    @contextmanager
    def told(self, key: str = "", doing: str = "read") -> Generator[None]:
        """Errors of the store in our words; theirs are cut off, since they may show a signed address."""
        where = f"{self.address}/{key}"
        try:
            yield
        except (NotFoundError, FileNotFoundError):
            if not self.is_there:
                raise self._missing() from None
            raise DataError(
                f"There is no object {where}.", allowed="an object, or a glob of several", remedy="look at its name"
            ) from None
        except (PermissionDeniedError, UnauthenticatedError):
            raise self._refused(where, doing) from None
        except PreconditionError:
            raise UnavailableError(
                f"{where} was replaced while it was being read.", remedy="do the same again"
            ) from None
        except UnknownConfigurationKeyError as error:
            raise SettingsError(
                f"[{self._section}] options holds a name that {self._scheme}:// has not: {str(error).splitlines()[0]}.",
                allowed="options of the object store, such as region",
            ) from None
        except BaseError as error:
            if _NO_BUCKET.search(str(error)):
                raise self._missing() from None
            if _NO_CREDENTIALS.search(str(error)):
                raise self._refused(where, doing) from None
            raise self._unavailable(where, doing, str(error)) from None

    def _missing(self) -> HeptadError:
        return self._error(
            f"There is no bucket {self._bucket}, or none that can be reached by this name.",
            allowed=f"a bucket that exists; [{self._section}] endpoint and options say where",
            remedy=f"look at the name in [{self._section}] uri, or make the bucket",
        )

    def _refused(self, where: str, doing: str) -> HeptadError:
        return self._error(
            f"{where} may not be {doing} with the credentials at hand; there may be none, or they may have expired.",
            allowed=f"[{self._section}] options, or in the environment {_CREDENTIALS[self._scheme]}",
            remedy='renew them, then do the same again; a public bucket needs options.skip_signature = "true"',
        )

    def _unavailable(self, where: str, doing: str, message: str) -> UnavailableError:
        retries = re.search(r"after (\d+) retries", message)
        told = without_secrets(
            message.split("Debug source", maxsplit=1)[0].rpartition(" - ")[2], self._options.values()
        )
        attempts = int(retries[1]) + 1 if retries else 1
        return UnavailableError(
            f"{where} could not be {doing}, attempts: {attempts}; {told[:200].rstrip('.')}.",
            remedy=f"try again later; [{self._section}] timeout and retries say how long to wait",
        )
