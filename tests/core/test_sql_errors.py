"""What drivers say becomes errors that name the place, the trouble and the remedy."""

import sqlite3

import psycopg
import pytest

from heptad.core.errors import HeptadError, InputError, IntegrityError, Retryable, UnavailableError, WorkspaceError
from heptad.core.sql_errors import translated


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("as the driver says it")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (sqlite_error("SQLITE_BUSY"), UnavailableError, "busy"),
        (sqlite_error("SQLITE_BUSY_SNAPSHOT"), UnavailableError, "busy"),
        (sqlite_error("SQLITE_PROTOCOL"), UnavailableError, "busy"),
        (sqlite_error("SQLITE_READONLY_DBMOVED"), WorkspaceError, "read-only"),
        (sqlite_error("SQLITE_FULL"), WorkspaceError, "disk is full"),
        (sqlite_error("SQLITE_IOERR_WRITE"), WorkspaceError, "disk reports an error"),
        (sqlite_error("SQLITE_CANTOPEN"), WorkspaceError, "cannot be opened"),
        (sqlite_error("SQLITE_NOTADB"), IntegrityError, "damaged"),
        (sqlite_error("SQLITE_CORRUPT_INDEX"), IntegrityError, "damaged"),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'body'"), IntegrityError, "damaged"),
        (sqlite_error("SQLITE_ERROR"), WorkspaceError, "as the driver says it"),
        (psycopg.errors.DiskFull("no space"), WorkspaceError, "disk is full"),
        (psycopg.errors.ReadOnlySqlTransaction("standby"), WorkspaceError, "read-only"),
        (psycopg.errors.InvalidPassword("no"), WorkspaceError, "does not let this user in"),
        (psycopg.errors.InvalidCatalogName("no"), WorkspaceError, "does not exist"),
        (psycopg.errors.InsufficientPrivilege("no"), WorkspaceError, "does not allow"),
        (psycopg.errors.DataCorrupted("bad page"), IntegrityError, "corrupted"),
        (psycopg.errors.UndefinedTable("no such table"), WorkspaceError, "no such table"),
        (psycopg.errors.TooManyConnections("full"), UnavailableError, "did not answer"),
        (psycopg.errors.QueryCanceled("statement timeout"), UnavailableError, "did not answer"),
        (psycopg.errors.AdminShutdown("going down"), UnavailableError, "did not answer"),
        (psycopg.OperationalError("connection refused"), UnavailableError, "connection refused"),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), InputError, "NUL"),
        (psycopg.errors.NumericValueOutOfRange("bigint out of range"), InputError, "out of range"),
    ],
)
def test_each_error_says_what_to_do(error: Exception, kind: type[HeptadError], words: str) -> None:
    """Kind, place and remedy; only what may pass by itself is retryable."""
    found = translated(error, "at this place")
    assert type(found) is kind
    assert words in found.problem
    assert "at this place" in found.problem
    assert found.remedy
    assert isinstance(found, Retryable) is (kind is UnavailableError)
