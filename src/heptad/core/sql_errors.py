"""What a database says, in the words of Heptad: which errors may pass, which need somebody's hand."""

import sqlite3

from heptad.core.errors import HeptadError, InputError, IntegrityError, UnavailableError, WorkspaceError

_SQLITE = {
    "SQLITE_READONLY": ("cannot be written: it is read-only", "Make the folder and its files writable for this user."),
    "SQLITE_CANTOPEN": ("cannot be opened", "Check that the folder exists and that this user may read and write it."),
    "SQLITE_PERM": ("may not be used by this user", "Make the folder and its files writable for this user."),
    "SQLITE_FULL": ("cannot grow: the disk is full", "Free some space, then do it again: nothing was half written."),
    "SQLITE_IOERR": ("cannot be read or written: the disk reports an error", "Check the disk and its free space."),
}
_CORRUPT = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}

_POSTGRESQL = {
    "25006": ("is read-only", "Connect to the primary server."),
    "28": ("does not let this user in", "Check user and password in the URL."),
    "3D000": ("does not exist", "Create it: createdb NAME."),
    "3F000": ("has no such schema", "Create it: CREATE SCHEMA NAME."),
    "42501": ("does not allow this user to write", "Grant this user the rights on the schema."),
    "53100": ("cannot grow: its disk is full", "Free some space on the server: nothing was half written."),
    "XX001": ("is corrupted", "Restore the newest backup: heptad restore."),
    "XX002": ("has a corrupted index", "REINDEX the database."),
}
"""SQLSTATE, or its first two characters, to what is wrong and what to do."""

_PASSING = {"", "08", "40", "53", "55", "57"}
"""Starts of an SQLSTATE that may not be there the next time: connection, deadlock, resources, operator."""

_WHILE_CONNECTING = {"does not exist": "3D000", "authentication failed": "28", "no password supplied": "28"}
"""The driver reports no SQLSTATE for a connection that was refused, only the server's sentence."""


def translated(error: BaseException, where: str) -> HeptadError:
    """The error of Heptad for an error of `sqlite3` or `psycopg`."""
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, where)
    code = str(getattr(error, "sqlstate", None) or "")
    if code.startswith("22") or type(error).__name__ == "DataError":
        return InputError(
            f"The database {where} cannot hold a value: {error}.", remedy="Give text without NUL, numbers of 64 bits."
        )
    if not code:
        code = next((known for words, known in _WHILE_CONNECTING.items() if words in str(error)), "")
    problem, remedy = (
        _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2]) or ("cannot do what it was asked", "heptad doctor")
    )
    sentence = str(error).strip()
    if code.startswith("XX"):
        return IntegrityError(f"The database {where} {problem}: {sentence}", remedy=remedy)
    if code[:2] in _PASSING and code not in _POSTGRESQL:
        return UnavailableError(
            f"The database {where} did not answer: {sentence}", remedy="Check that it runs, then try again."
        )
    return WorkspaceError(f"The database {where} {problem}: {sentence}", remedy=remedy)


def _from_sqlite(error: sqlite3.Error, where: str) -> HeptadError:
    name = getattr(error, "sqlite_errorname", None) or ""
    family = "_".join(name.split("_")[:2])
    if family in _BUSY:
        return UnavailableError(f"The database {where} was busy for too long.", remedy="Try again.")
    if family in _CORRUPT or "decode" in str(error).lower():
        return IntegrityError(
            f"The database file {where} is damaged: {error}.", remedy="Restore the newest backup: heptad restore."
        )
    problem, remedy = _SQLITE.get(family, ("cannot do what it was asked", "heptad doctor"))
    return WorkspaceError(f"The database file {where} {problem} ({error}).", remedy=remedy)
