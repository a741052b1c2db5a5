"""What a database says, in our words: what passes, what needs somebody's hand; never a secret."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from heptad.core.errors import DataError, HeptadError, SettingsError, UnavailableError


class Failure(msgspec.Struct, frozen=True):
    """One way to fail: which error it becomes, what is said of the database, what helps."""

    error: type[HeptadError]
    problem: str
    remedy: str


class LostConnectionError(UnavailableError):
    """The database did not answer, or went away in the middle: reading again may help at once."""


class StreamError(Exception):
    """What a driver says in the middle of a stream, without a class or a code of its own."""


GONE = Failure(LostConnectionError, "did not answer", "check that it runs and can be reached, then do the same again")
SLOW = Failure(
    UnavailableError,
    "took longer than [sources.NAME] read_timeout allows",
    "raise read_timeout, or ask for less in query",
)
LOCKED = Failure(UnavailableError, "is locked by somebody else", "do the same again when they are done")
SHUT = Failure(SettingsError, "does not let this user in", "check the user, and the ${NAME} of the password, in uri")
ABSENT = Failure(SettingsError, "does not exist", "check the name of the database in uri")
FORBIDDEN = Failure(DataError, "does not let this user read that", "grant the right to SELECT")
WRITES = Failure(DataError, "is only read, and the query would write", "leave only what reads in [sources.NAME] query")
NO_QUERY = Failure(DataError, "cannot do what it was asked", "try [sources.NAME] query in the database's own shell")

_CODES: dict[str, Failure] = {
    # SQLSTATE of PostgreSQL, or its beginning
    "08": GONE,
    "53": GONE,
    "57P": GONE,
    "57014": SLOW,
    "55P03": LOCKED,
    "40": LOCKED,
    "28": SHUT,
    "3D000": ABSENT,
    "42501": FORBIDDEN,
    "25006": WRITES,
    # numbers of MySQL and MariaDB
    "2002": GONE,
    "2003": GONE,
    "2006": GONE,
    "2013": GONE,
    "2055": GONE,
    "1040": GONE,
    "1053": GONE,
    "1317": SLOW,
    "1969": SLOW,
    "3024": SLOW,
    "1205": LOCKED,
    "1213": LOCKED,
    "1045": SHUT,
    "1698": SHUT,
    "1044": SHUT,
    "1049": ABSENT,
    "1142": FORBIDDEN,
    "1143": FORBIDDEN,
    "1792": WRITES,
    # SQLite
    "SQLITE_INTERRUPT": SLOW,
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_READONLY": WRITES,
}
_SENTENCES: tuple[tuple[str, Failure], ...] = (
    ("authentication failed", SHUT),
    ("no password supplied", SHUT),
    (r"role \S+ does not exist", SHUT),
    (r"database \S+ does not exist", ABSENT),
    (r"connection (failed|refused|timeout|is closed|reset)|server closed|lost synchron|SSL .*(EOF|closed)", GONE),
    ("read-only mode", WRITES),
    ("Could not set lock|database is locked", LOCKED),
    (r"INTERRUPT|canceling statement due to statement timeout", SLOW),
    ("canceling statement due to lock timeout", LOCKED),
    ("in a read-only transaction|data-modifying statement|attempt to write", WRITES),
)
"""For drivers that give no code: what they say, as regular expressions, in this order."""


@contextmanager
def told(where: str, secrets: Collection[str]) -> Iterator[None]:
    """Around everything asked of the database `where`: its errors become ours, without the `secrets`.

    The error of the driver is not shown as a cause: it may quote the address.
    """
    try:
        yield
    except HeptadError:
        raise
    except Exception as error:
        if not isinstance(error, SQLAlchemyError | OSError | StreamError) and not type(error).__module__.startswith(
            "adbc_driver"
        ):
            raise
        failure = _failure(error)
        said = hidden(_sentence(error), secrets)
        problem = f"The database {where} {failure.problem}: {said}."
    else:
        return
    raise failure.error(problem, remedy=failure.remedy) from None


def hidden(text: str, secrets: Collection[str]) -> str:
    """The text with every secret replaced."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _failure(error: Exception) -> Failure:
    original = getattr(error, "orig", None) or error
    first = original.args[0] if original.args else ""
    number = f"{first}" if isinstance(first, int) else ""
    state = str(getattr(original, "sqlstate", None) or "")
    name = str(getattr(original, "sqlite_errorname", ""))
    codes = (number, state, state[:3], state[:2], name, "_".join(name.split("_")[:2]))
    known = next((_CODES[one] for one in codes if one in _CODES), None)
    if known is not None:
        return known
    for pattern, failure in _SENTENCES:
        if re.search(pattern, str(original)):
            return failure
    lost = isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    silent = type(original).__name__ == "OperationalError" and not any(codes)
    return GONE if lost or silent else NO_QUERY


def _sentence(error: Exception) -> str:
    """The first line of what the driver says, without the statement that SQLAlchemy adds."""
    original = getattr(error, "orig", None) or error
    words = original.args[1] if len(original.args) > 1 and isinstance(original.args[0], int) else original
    lines = [line.strip() for line in str(words).splitlines() if line.strip()]
    return (lines[0] if lines else type(original).__name__).rstrip(".")
