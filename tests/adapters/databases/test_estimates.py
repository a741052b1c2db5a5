"""Databases guess how many rows there are; nothing is counted."""

from tests.adapters.databases.conftest import OpenSource, Run

MAKE = "CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER)"
ROWS = 5000
"""Enough for a planner, which takes a small table for one of some pages."""


def filled(url: str, run: Run) -> None:
    run(url, MAKE, "INSERT INTO t VALUES " + ", ".join(f"({n}, {n % 7})" for n in range(ROWS)))
    if not url.startswith("duckdb"):
        run(url, "ANALYZE TABLE t" if url.startswith("mysql") else "ANALYZE t")


def test_a_table_is_about_as_large_as_it_is(url: str, run: Run, opened: OpenSource) -> None:
    """With a cursor, what is past it is left, of which SQLite knows nothing."""
    filled(url, run)
    source = opened(url, table="t", cursor="id")
    estimate = source.estimate()
    assert estimate is not None
    assert estimate.unit == "rows"
    assert ROWS * 0.8 <= estimate.amount <= ROWS * 1.2
    source.digest()
    left = source.estimate()
    assert (left is None) == url.startswith("sqlite")
    assert left is None or left.amount < ROWS / 2


def test_a_query_is_guessed_where_there_is_a_planner(url: str, run: Run, opened: OpenSource) -> None:
    """Whatever signs it holds."""
    filled(url, run)
    estimate = opened(url, query="SELECT id, '100% :x' AS said FROM t").estimate()
    assert (estimate is None) == url.startswith("sqlite")
    assert estimate is None or ROWS / 10 <= estimate.amount <= ROWS * 10


def test_a_table_without_numbers_of_rows_is_not_guessed(sqlite_url: str, run: Run, opened: OpenSource) -> None:
    """Of SQLite; nor is an error made of it."""
    run(sqlite_url, "CREATE TABLE t (id INTEGER PRIMARY KEY) WITHOUT ROWID", "INSERT INTO t VALUES (1)")
    assert opened(sqlite_url, table="t").estimate() is None
