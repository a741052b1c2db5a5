"""What a Delta table held before cannot be found any more, and what it holds stays, with where sources are."""

from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from heptad.data import scan_table
from heptad.data.versions.purging import forget_past


def test_nothing_but_the_newest_version_is_left(tmp_path: Path) -> None:
    """Old files and old entries of the log are gone; done again, nothing changes; the table goes on."""
    folder = tmp_path / "table"
    reached = CommitProperties(app_transactions=[Transaction(app_id="journal", version=7)])
    write_deltalake(folder, pl.DataFrame({"id": ["secret-one", "b"]}), commit_properties=reached)
    write_deltalake(folder, pl.DataFrame({"id": ["c"]}), mode="append")
    DeltaTable(folder).delete("encode(id, 'hex') IN ('7365637265742d6f6e65')")
    for _ in range(2):
        forget_past(folder)
        everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert b"secret-one" not in everything
        assert sorted(scan_table(folder).collect()["id"]) == ["b", "c"]
        assert DeltaTable(folder).transaction_version("journal") == 7
    write_deltalake(folder, pl.DataFrame({"id": ["d"]}), mode="append")
    assert sorted(scan_table(folder).collect()["id"]) == ["b", "c", "d"]
