"""Rows of a statement in batches, in stored types: through Arrow where that is installed and fits, else row by row."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.adapters.databases import arrow
from heptad.adapters.databases.sessions import Session
from heptad.adapters.databases.statements import Asked
from heptad.adapters.databases.values import Converter

BATCH = 65_536
"""Rows that are taken from the database at once."""
_MYSQL_TIMESTAMP = 7
"""The driver's number for the type that MySQL keeps in UTC."""


class Batch(msgspec.Struct, frozen=True):
    """Some rows, and the cursor's values as the database gave them."""

    rows: pl.DataFrame
    cursor_values: Sequence[Any] | pl.Series = ()


def batches(session: Session, select: Asked, cursor: str, converter: Converter) -> Iterator[Batch]:
    """All rows of a statement in order; raises `UnavailableError` once the session's time is over."""
    found = arrow.batches(session, select)
    if found is None:
        converter.understood["read by"] = session.connection.engine.driver
        yield from _row_by_row(session, select, cursor, converter)
        return
    converter.understood["read by"] = "ADBC"
    for frame in found:
        session.check_time()
        if len(frame):
            plain = arrow.plain(frame, found.kinds, converter)
            yield Batch(converter.stored(plain), frame[cursor] if cursor else ())


def _row_by_row(session: Session, select: Asked, cursor: str, converter: Converter) -> Iterator[Batch]:
    options = {"stream_results": True, "yield_per": BATCH}
    with session.connection.execute(select, execution_options=options) as result:
        names = list(result.keys())
        utc = frozenset(_utc_places(session, result.cursor.description if result.cursor else ()))
        try:
            for rows in result.partitions(BATCH):
                session.check_time()
                values = [row[names.index(cursor)] for row in rows] if cursor else ()
                yield Batch(converter.frame(names, rows, utc), values)
        except BaseException:
            session.abandon()
            raise


def _utc_places(session: Session, described: Sequence[Any]) -> Iterator[int]:
    if session.dialect in {"mysql", "mariadb"}:
        yield from (place for place, one in enumerate(described) if one[1] == _MYSQL_TIMESTAMP)
