"""PostgreSQL through Arrow: the same rows as row by row, for the types that allow it."""

import importlib.util

import pytest
from tests.adapters.databases.conftest import OpenSource, Run

from heptad.core.errors import DataError

MAKE = """CREATE TABLE t (id serial PRIMARY KEY, small smallint, big bigint, r real, f float8, n numeric(12, 3),
    b boolean, w varchar(9), c char(3), d date, ts timestamp, tz timestamptz, j json, jb jsonb, u uuid,
    l int[], wl text[], whole numeric(18, 0), vast numeric(30, 0))"""
ROWS = """INSERT INTO t (small, big, r, f, n, b, w, c, d, ts, tz, j, jb, u, l, wl, whole, vast)
    SELECT n, n * 1000000007::bigint, n / 3.0, n / 7.0, n / 3.0, n % 2 = 0, 'w' || n, 'c' || n % 9,
        date '2026-01-01' + n,
        timestamp '2026-01-01 10:00:00.123456' + n * interval '1 h',
        timestamptz '2026-07-01 10:00+02' + n * interval '1 h',
        '{"a":  1}'::json, '{"a":  1}'::jsonb, md5(n::text)::uuid, ARRAY[n, NULL, 2], ARRAY['a', 'b' || n],
        900000000000000000 + n, 123456789012345678901234567890 + n
    FROM generate_series(1, 50) n"""
REST = "INSERT INTO t (f, n) VALUES ('NaN', 'NaN')"


def test_arrow_and_rows_agree(
    postgresql_url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In values, types, what is told, and so in the digest."""
    run(postgresql_url, MAKE, ROWS, REST)
    arrow = opened(postgresql_url, table="t", cursor="id").read()
    assert arrow.understood["read by"] == "ADBC"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    rows = opened(postgresql_url, query="SELECT * FROM t ORDER BY id").read()
    assert rows.understood["read by"] == "psycopg"
    one, other = arrow.rows.collect(), rows.rows.collect()
    assert one.schema == other.schema
    assert one.equals(other)
    plain = {name: how for name, how in arrow.understood.items() if name.startswith("column")}
    assert plain == {name: how for name, how in rows.understood.items() if name.startswith("column")}
    assert arrow.repairs == rows.repairs
    assert {repair.column: repair.cells for repair in rows.repairs} == dict.fromkeys(
        ["j", "jb", "l", "u", "vast", "wl"], 50
    )
    assert one.sort("id").select("whole", "vast").row(0) == (900000000000000001, "123456789012345678901234567891")


def test_types_that_arrow_shows_otherwise_are_read_row_by_row(
    postgresql_url: str, run: Run, opened: OpenSource
) -> None:
    """Durations, times of day, bytes."""
    run(
        postgresql_url, "CREATE TABLE t (i interval, t time, b bytea)", r"INSERT INTO t VALUES ('1 day', '10:30', 'ab')"
    )
    table = opened(postgresql_url, table="t").read()
    assert table.understood["read by"] == "psycopg"
    assert table.rows.collect().row(0) == (86_400.0, 37_800.0, "6162")


@pytest.mark.parametrize("arrow", [True, False], ids=["adbc", "psycopg"])
def test_infinite_times_are_refused(
    postgresql_url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch, arrow: bool
) -> None:
    """No calendar has them."""
    if not arrow:
        monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    run(postgresql_url, "CREATE TABLE t (tz timestamptz)", "INSERT INTO t VALUES ('infinity')")
    with pytest.raises(DataError, match=r"beyond the year 9999|too large"):
        opened(postgresql_url, table="t").digest()
