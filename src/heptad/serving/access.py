"""Who may talk to a server on loopback: programs of this machine, and no page of another site through a browser."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from heptad.core.errors import InputError, RequestError


def is_loopback(host: str) -> bool:
    """Whether a name or address always means this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(host: str) -> None:
    """Raise `InputError` for an address that others can reach: there is no encryption and no token yet."""
    if not is_loopback(host):
        raise InputError(
            f"The server would listen on {host!r}, where other machines can reach it without a password.",
            allowed="127.0.0.1, ::1 or localhost",
            remedy="keep the host of [deploy] and of [api] on loopback, and put a proxy with TLS and authentication "
            "in front of it",
        )


def check_access(authority: str, origin: str | None) -> None:
    """Raise `RequestError` (403) unless the request was meant for this machine.

    A page whose name was rebound to 127.0.0.1 still sends its own name as the host; a page of another site sends its
    origin.
    """
    if not _names_loopback(authority):
        raise RequestError(
            f"The request is for the host {authority!a}.",
            status=403,
            field="host",
            allowed="localhost, 127.0.0.1 or [::1]",
        )
    if origin is not None and origin != f"http://{authority}":
        raise RequestError(
            f"The request comes from a page of {origin!a}.",
            status=403,
            field="origin",
            allowed=f"http://{authority}, or no page at all",
        )


@lru_cache(maxsize=64)
def _names_loopback(authority: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{authority}").hostname or "")
    except ValueError:
        return False
