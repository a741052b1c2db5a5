"""Settings that hold secrets: written as `${NAME}`, revealed only for the server they are for, kept out of messages."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from heptad.core.errors import SettingsError
from heptad.core.secrets import holds_secret, reveal

_SECRET = re.compile(
    r"(?i)secret|passw|token|(^|[_-])(sig|key)($|[_-])|signature|credential|authorization|cookie|apikey"
)
_NOT_SECRET = re.compile(r"(?i)skip_signature")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s)]+")


def reveal_all(values: Mapping[str, str], setting: str, section: str = "sources.NAME") -> dict[str, str]:
    """Options or headers of a section with their secrets; raises `SettingsError` for one that is written out."""
    for name, value in values.items():
        if _is_secret(name) and value and not holds_secret(value):
            raise SettingsError(
                f"[{section}] {setting}.{name} is written out, and settings are recorded.",
                allowed="${NAME}, which is looked up in the environment",
                remedy=f'export it, and write {name} = "${{SOME_NAME}}"',
            )
    return {name: reveal(value) for name, value in values.items()}


def refuse_secrets_in(uri: str, section: str = "sources.NAME", setting: str = "uri") -> None:
    """Raises `SettingsError` for an address with a password or a token that is written out."""
    parts = urlsplit(uri)
    given = {"the password": parts.password or ""}
    given |= {f"the parameter {name!r}": value for name, value in parse_qsl(parts.query) if _is_secret(name)}
    for what, value in given.items():
        if value and not holds_secret(value):
            raise SettingsError(
                f"[{section}] {setting} holds {what}, and settings are recorded.",
                allowed="${NAME}, which is looked up in the environment",
                remedy="export it, and write ${SOME_NAME} in its place",
            )


def without_secrets(message: str, secrets: Iterable[str]) -> str:
    """A library's message in one line, without addresses, which may be signed, and without these values."""
    told = _ADDRESS.sub("the server", " ".join(message.split()))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        told = told.replace(secret, "***") if len(secret) > 3 else told
    return told


def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None and _NOT_SECRET.search(name) is None
