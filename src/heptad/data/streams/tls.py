"""Encrypted connections to brokers: whom to trust, and who we are."""

import ssl
from pathlib import Path

import msgspec

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.data.sources.settings import SourceSettings

FILES = ("ca", "certificate", "key")
"""Options that name files in PEM: whom to trust (empty: whom this machine trusts), and the client's own."""
_PLAIN = {"nats": "nats+tls", "mqtt": "mqtts"}


def placed(settings: SourceSettings, root: Path) -> SourceSettings:
    """The settings with those files found from the project's folder on."""
    files = {name: str(root / value) for name, value in settings.options.items() if name in FILES}
    return msgspec.structs.replace(settings, options=settings.options | files) if files else settings


def tls_of(scheme: str, settings: SourceSettings) -> ssl.SSLContext | None:
    """How to encrypt what goes over a connection; `None` for a scheme that does not.

    Names and certificates are always verified. Raises `SettingsError` for options that are none, `DataError` for files
    that cannot be used.
    """
    options = settings.options
    odd = next((name for name in options if name not in FILES), "")
    if odd:
        raise SettingsError(f"[sources.NAME.options] {odd} is no option of {scheme}://.", allowed=nearest(odd, FILES))
    if scheme in _PLAIN:
        if options:
            raise SettingsError(
                f"[sources.NAME.options] {next(iter(options))} is about TLS, and {scheme}:// goes without.",
                allowed=f"{_PLAIN[scheme]}:// in uri",
            )
        return None
    if "key" in options and "certificate" not in options:
        raise SettingsError("[sources.NAME.options] key has no certificate beside it.", allowed="both, or neither")
    try:
        context = ssl.create_default_context(cafile=options.get("ca"))
        if "certificate" in options:
            context.load_cert_chain(options["certificate"], options.get("key"), password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise DataError(
            f"The certificates of [sources.NAME.options] cannot be used: {error}.",
            allowed="files in PEM; a key without a password",
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def untrusted(where: str, error: ssl.SSLCertVerificationError) -> DataError:
    """The error for a broker that does not prove to be who it should be."""
    return DataError(
        f"{where} has a certificate that is not trusted: {error.verify_message}.",
        allowed="a certificate for this name, by somebody whom this machine trusts",
        remedy="name who signed it: [sources.NAME.options] ca = 'FILE.pem'",
    )
