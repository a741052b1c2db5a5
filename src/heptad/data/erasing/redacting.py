"""Takes values of single rows out of records: the one exception to the rule that a record never changes.

A record of a version lists categories, limits, examples of repairs and what groups agreed on. Of a person who is to be
erased that may hold a value that nobody else has. What a record decided or measured stays as it is, and events are not
touched: they hold ids and digests.
"""

import time
from collections.abc import Mapping

import msgspec

from heptad.core.errors import UnavailableError
from heptad.core.records import Body, Id
from heptad.core.sql_copy import sql_store
from heptad.core.sql_values import body_text
from heptad.core.workspace import Workspace
from heptad.data.records import Column, DatasetVersion

Limits = Mapping[str, tuple[float | None, float | None]]
_PATIENCE = 60.0
"""Seconds that readers of the store are waited for."""


def redacted(body: DatasetVersion, traces: Mapping[str, frozenset[str]], limits: Limits) -> DatasetVersion:
    """The body without `traces` (values by column that only erased rows had), with the limits of the rows left.

    Examples of repairs go altogether: whose they are cannot be told.
    """
    gone = frozenset[str]().union(*traces.values())
    votes = {
        column: {group: value for group, value in one.items() if group not in gone and value not in gone}
        for column, one in body.fitted.votes.items()
    }
    return msgspec.structs.replace(
        body,
        schema=msgspec.structs.replace(
            body.schema, columns=[_column(one, traces, limits) for one in body.schema.columns]
        ),
        repairs=[msgspec.structs.replace(repair, examples=[]) for repair in body.repairs],
        fitted=msgspec.structs.replace(body.fitted, votes=votes),
    )


def _column(column: Column, traces: Mapping[str, frozenset[str]], limits: Limits) -> Column:
    low, high = limits.get(column.name, (column.min, column.max))
    seen = column.categories
    if seen is not None and column.role != "target" and not column.closed:
        seen = [value for value in seen if value not in traces.get(column.name, ())]
    has_limits = column.min is not None
    return msgspec.structs.replace(
        column, categories=seen, min=low if has_limits else None, max=high if has_limits else None
    )


def rewrite_records(workspace: Workspace, bodies: Mapping[Id, Body]) -> None:
    """Put these bodies in the place of those that the records have; in one transaction."""
    with sql_store(workspace.store).database.writing() as transaction:
        for record, body in bodies.items():
            text = body_text(msgspec.to_builtins(body, str_keys=True), record)
            transaction.run("UPDATE record SET body = ? WHERE id = ?", text, record)


def scrub_store(workspace: Workspace) -> None:
    """Write the store's file anew, since what was replaced in it stays in its free pages and its log otherwise.

    Raises `UnavailableError` where somebody reads an older state for longer than a minute.
    """
    database = sql_store(workspace.store).database
    with database.writing() as transaction:
        # Outside of any transaction, while nobody else can write.
        transaction.run("COMMIT")
        if transaction.kind == "postgresql":
            transaction.run("VACUUM FULL record")
        else:
            transaction.run("VACUUM")
            give_up = time.monotonic() + _PATIENCE
            while transaction.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                if time.monotonic() > give_up:
                    raise UnavailableError(
                        "The store's log cannot be emptied: another process reads an older state of it.",
                        remedy="heptad data erase --resume, when it is done",
                    )
                time.sleep(0.1)
        transaction.run("BEGIN")
