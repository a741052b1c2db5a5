"""Batches of a statement, whichever way they come."""

import pytest
from tests.adapters.databases.conftest import OpenSource, Run

from heptad.adapters.databases import reading


def test_times_of_mariadb_keep_their_zones(mariadb_url: str, run: Run, opened: OpenSource) -> None:
    """TIMESTAMP is a moment, DATETIME is what a clock on the wall of the project's zone shows."""
    run(
        mariadb_url,
        "CREATE TABLE t (a TIMESTAMP, b DATETIME, f BOOLEAN, u BIGINT UNSIGNED, j JSON, n DECIMAL(9, 2))",
        "SET time_zone = '+05:00'",
        "INSERT INTO t VALUES ('2026-07-01 10:00:00', '2026-07-01 10:00:00', TRUE, 18446744073709551615, '[1]', 1.25)",
    )
    table = opened(mariadb_url, table="t").read()
    row = table.rows.collect().row(0, named=True)
    assert (row["b"].isoformat(), row["f"], row["n"], row["j"]) == ("2026-07-01T10:00:00+00:00", 1, 1.25, "[1]")
    assert row["u"] == str(2**64 - 1)
    assert table.understood["column u"].startswith("whole numbers beyond")


def test_no_batch_is_larger_than_it_may_be(
    url: str, run: Run, opened: OpenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So memory does not grow with the table."""
    monkeypatch.setattr("heptad.adapters.databases.arrow.batches", lambda *_: None)
    monkeypatch.setattr(reading, "BATCH", 3)
    run(url, "CREATE TABLE t (id INTEGER)", f"INSERT INTO t VALUES {', '.join(f'({n})' for n in range(10))}")
    sizes, batches = [], reading.batches

    def counted(*arguments):  # type: ignore[no-untyped-def]
        for one in batches(*arguments):
            sizes.append(len(one.rows))
            yield one

    monkeypatch.setattr("heptad.adapters.databases.source.batches", counted)
    opened(url, table="t").digest()
    assert sizes == [3, 3, 3, 1]
