"""Where a stream is: `scheme://user:${PASSWORD}@host:port,host:port/topic`, taken apart."""

import re
from urllib.parse import unquote

import msgspec

from heptad.core.errors import SettingsError
from heptad.core.secrets import holds_secret, reveal

_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*)://(?:(?P<user>[^/@]*)@)?(?P<hosts>[^/@]+)/(?P<topic>.+)")


class StreamAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of a broker. A topic is taken as it is written: MQTT and NATS use signs that URLs do not."""

    scheme: str
    hosts: list[str]
    """`host` or `host:port`, several where the broker is a cluster."""
    topic: str
    user: str = ""
    password: str = ""

    @property
    def where(self) -> str:
        """What messages call it, and what tells streams apart: nothing secret is in it."""
        return f"{self.scheme}://{','.join(self.hosts)}/{self.topic}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must be seen nowhere; a user without a password may be a token."""
        return (self.password,) if self.password else (self.user,)

    def servers(self, port: int) -> list[tuple[str, int]]:
        """Every host with its port, or with this one."""
        found = []
        for host in self.hosts:
            name, colon, given = host.rpartition(":")
            if colon and not given.isdecimal():
                raise SettingsError(
                    f"[sources.NAME] uri: {given!r} in {host!r} is no port.", allowed="host or host:port"
                )
            found.append((name, int(given)) if colon else (host, port))
        return found


def parse_address(uri: str) -> StreamAddress:
    """The parts of a stream's `uri`, secrets filled in.

    Raises `SettingsError` for an address that cannot be taken apart, and for a password that stands in it.
    """
    _refuse_plain_password(uri)
    found = _ADDRESS.fullmatch(reveal(uri))
    if not found:
        # It may hold a password, so it is not shown.
        raise SettingsError(
            "[sources.NAME] uri cannot be read as the address of a stream.",
            allowed="kafka://host:port/topic, nats+tls://host:port/subject, mqtts://user:${PASSWORD}@host:port/topic",
        )
    user, _, password = (found["user"] or "").partition(":")
    return StreamAddress(
        scheme=found["scheme"],
        hosts=[one for one in found["hosts"].split(",") if one],
        topic=found["topic"],
        user=unquote(user),
        password=unquote(password),
    )


def _refuse_plain_password(uri: str) -> None:
    found = _ADDRESS.fullmatch(uri)
    password = (found["user"] or "").partition(":")[2] if found else ""
    if password and not holds_secret(password):
        raise SettingsError(
            "[sources.NAME] uri holds a password, and settings are recorded.",
            allowed="${NAME}, which is looked up in the environment",
            remedy="export it, and write ${SOME_NAME} in its place",
        )
