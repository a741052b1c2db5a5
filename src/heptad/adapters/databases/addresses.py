"""Where a database is: its URL with secrets filled in, how messages call it, and what its driver is installed by."""

from pathlib import Path
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from heptad.core.errors import DataError, SettingsError, WorkspaceError, nearest
from heptad.core.secrets import holds_secret, reveal
from heptad.data import Place, SourceSettings

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
"""What reads a dialect where the URL names no driver."""
_EXTRAS = {"psycopg": "postgresql", "pymysql": "mysql", "duckdb": "duckdb", "duckdb_engine": "duckdb"}
_IN_FILES = {"sqlite", "duckdb"}
_WORDS = ("password", "passwd", "secret", "token", "apikey", "api_key")
"""What names of parameters have in them whose values are secret."""


class Address(msgspec.Struct, frozen=True):
    """One database."""

    url: URL
    where: str
    """What messages call it: no password, no parameters."""
    secrets: tuple[str, ...]
    """Values that must be seen nowhere."""
    path: Path | None = None
    """The file, where it is one."""

    @property
    def dialect(self) -> str:
        return self.url.get_backend_name()

    def stamp(self) -> str:
        """For a database in a file: changes whenever the file or its journal is written; else empty."""
        if self.path is None:
            return ""
        beside = (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", ".wal")))
        status = [one.stat() for one in beside if one.exists()]
        return " ".join(f"{one.st_ino}-{one.st_size}-{one.st_mtime_ns}" for one in status)


def find_database(settings: SourceSettings, place: Place) -> Address:
    """The database at the settings' `uri`.

    Raises `SettingsError` for a URL that cannot be read or holds a password itself, `WorkspaceError` for a driver
    that is not installed, `DataError` for a file that is not there.
    """
    _refuse_plain_secrets(settings.uri)
    url = _parsed(reveal(settings.uri))
    dialect = url.get_backend_name()
    if "+" not in url.drivername and dialect in _DRIVERS:
        url = url.set(drivername=f"{dialect}+{_DRIVERS[dialect]}")
    _check_driver(url)
    secrets = [url.password, *(value for name, value in _parameters(url) if _is_secret(name))]
    hidden = {spelling for one in secrets if one for spelling in (str(one), quote(str(one)), quote(str(one), safe=""))}
    if dialect not in _IN_FILES:
        where = URL.create(
            dialect, username=url.username, host=url.host, port=url.port, database=url.database
        ).render_as_string(hide_password=True)
        return Address(url, where, tuple(hidden))
    if not url.database or url.database == ":memory:":
        raise SettingsError(f"{dialect}: in memory holds no rows to read.", allowed=f"{dialect}:///FILE")
    path = (place.root / url.database).resolve()
    if not path.is_file():
        there = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
        raise DataError(
            f"There is no database file {str(path)!r}.",
            allowed=nearest(path.name, there),
            remedy="three slashes and a path relative to the project's folder, or four and an absolute one",
        )
    return Address(url.set(database=str(path)), f"{dialect}:///{url.database}", tuple(hidden), path)


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        # It may quote the password.
        raise SettingsError(
            "[sources.NAME] uri cannot be read as the URL of a database.",
            allowed="dialect://user:${PASSWORD}@host:port/database, special signs as %XX",
        ) from None


def _refuse_plain_secrets(uri: str) -> None:
    """Settings are copied into records and pages, so a password must not stand in them."""
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        return  # not a URL before ${NAME} is filled in
    given = [("password", url.password), *((name, value) for name, value in _parameters(url) if _is_secret(name))]
    for name, value in given:
        if value and not holds_secret(str(value)):
            raise SettingsError(
                f"A {name} stands in [sources.NAME] uri, which is copied into records.",
                allowed="the name of a variable of the environment: dialect://user:${PASSWORD}@host/database",
                remedy="write ${PASSWORD} there, and: export PASSWORD=...",
            )


def _parameters(url: URL) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in url.query.items()
        for value in ([values] if isinstance(values, str) else values)
    ]


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _WORDS)


def _check_driver(url: URL) -> None:
    try:
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        extra = _EXTRAS.get(url.get_backend_name())
        raise WorkspaceError(
            f"Nothing installed reads {url.drivername}://.",
            allowed="the dialects of SQLAlchemy, and those that installed packages add",
            remedy=f"pip install 'heptad[{extra}]'" if extra else "install the package of its SQLAlchemy dialect",
        ) from None
    except ModuleNotFoundError as error:
        missing = (error.name or url.get_driver_name()).split(".")[0]
        wanted = f"'heptad[{_EXTRAS[missing.lower()]}]'" if missing.lower() in _EXTRAS else missing
        raise WorkspaceError(
            f"{url.drivername}:// is read by the package {missing!r}, which is not installed.",
            remedy=f"pip install {wanted}",
        ) from None


def identity(address: Address) -> str:
    """The URL without anything secret: with equal ones, it is the same database."""
    plain = {name: value for name, value in address.url.query.items() if not _is_secret(name)}
    return sa.URL.create(
        address.url.get_backend_name(),
        username=address.url.username,
        host=address.url.host,
        port=address.url.port,
        database=address.url.database,
        query=plain,
    ).render_as_string(hide_password=True)
