"""Rows of a statement in batches, in stored types: through Arrow where that is installed and fits, else row by row."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.adapters.databases import arrow
from heptad.adapters.databases.sessions import POSTGRESQL_TEXTS, Session
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
        kinds = {
            name: one[1] for name, one in zip(names, result.cursor.description if result.cursor else (), strict=False)
        }
        for name, kind in kinds.items():
            if session.dialect == "postgresql" and kind in POSTGRESQL_TEXTS:
                converter.tell(name, f"{POSTGRESQL_TEXTS[kind]}, as text", as_text=True)
        utc = frozenset(
            place
            for place, kind in enumerate(kinds.values())
            if session.dialect in {"mysql", "mariadb"} and kind == _MYSQL_TIMESTAMP
        )
        try:
            for rows in result.partitions(BATCH):
                session.check_time()
                values = [row[names.index(cursor)] for row in rows] if cursor else ()
                yield Batch(converter.frame(names, rows, utc), values)
        except BaseException:
            session.abandon()
            raise
