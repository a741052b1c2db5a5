"""What databases say becomes our errors: the right kind, one line, no secret."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from heptad.adapters.databases.failures import LostConnectionError, hidden, told
from heptad.core.errors import DataError, HeptadError, SettingsError, UnavailableError


class DriverError(Exception):
    """An error of a driver, with the code of PostgreSQL."""

    def __init__(self, sentence: str, sqlstate: str | None = None) -> None:
        super().__init__(sentence)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("original", "kind", "says"),
    [
        (DriverError("terminating connection", "57P01"), LostConnectionError, "did not answer"),
        (DriverError("canceling statement", "57014"), UnavailableError, "took longer"),
        (DriverError("lock", "55P03"), UnavailableError, "locked"),
        (DriverError("password authentication failed for user"), SettingsError, "does not let this user in"),
        (DriverError('database "x" does not exist'), SettingsError, "does not exist"),
        (DriverError("permission denied", "42501"), DataError, "does not let this user read"),
        (DriverError("cannot execute DELETE", "25006"), DataError, "only read"),
        (DriverError("syntax error\nLINE 1: x", "42601"), DataError, "cannot do what it was asked: syntax error."),
        (Exception(2013, "Lost connection"), LostConnectionError, "did not answer: Lost connection."),
        (Exception(1205, "Lock wait timeout"), UnavailableError, "locked"),
        (Exception(1045, "Access denied"), SettingsError, "does not let this user in"),
        (Exception(1792, "Cannot execute"), DataError, "only read"),
        (Exception(1064, "You have an error"), DataError, "cannot do what it was asked: You have an error."),
    ],
)
def test_codes_are_understood(original: Exception, kind: type[HeptadError], says: str) -> None:
    """SQLSTATE, numbers, and sentences where there is no code."""
    with pytest.raises(kind, match=says) as error, told("db", []):
        raise ProgrammingError("SELECT secret", {}, original)
    assert type(error.value) is kind
    assert "SELECT secret" not in str(error.value)
    assert error.value.remedy


def test_sqlite_says_it_by_name() -> None:
    """What it is busy with may pass."""
    original = sqlite3.OperationalError("database is locked")
    original.sqlite_errorname = "SQLITE_BUSY_SNAPSHOT"  # type: ignore[misc]
    with pytest.raises(UnavailableError, match="locked"), told("db", []):
        raise OperationalError("", {}, original)


def test_secrets_are_hidden_and_the_driver_s_error_is_not_kept() -> None:
    """Neither the message nor what is shown below it holds one."""
    with pytest.raises(HeptadError) as error, told("db", ["sesame", "ses"]):
        raise OperationalError("", {}, DriverError("no host postgresql://me:sesame@h"))
    assert "me:***@h" in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
    assert hidden("a sesame", ["ses", "sesame"]) == "a ***"


def test_mistakes_of_the_program_stay_what_they_are() -> None:
    """Only errors of drivers are translated."""
    with pytest.raises(KeyError), told("db", []):
        raise KeyError("x")
