"""What a Delta table held before cannot be found any more, and what it holds stays, with where sources are."""

from pathlib import Path

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from heptad.data import scan_table
from heptad.data.versions.purging import forget_past, shorten_log


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


@pytest.mark.parametrize("begins", [1, 4, 7])
def test_a_log_begins_with_a_version_and_all_after_it_are_read_as_before(tmp_path: Path, begins: int) -> None:
    """Also where checkpoints were made between, and done again; what was before it is gone from the log."""
    folder = tmp_path / "table"
    for number in range(8):
        write_deltalake(
            folder, pl.DataFrame({"id": [f"row-{number}"]}), mode="overwrite" if number % 3 == 0 else "append"
        )
        if number in {2, 6}:
            DeltaTable(folder).create_checkpoint()
    before = {version: sorted(scan_table(folder, version).collect()["id"]) for version in range(8)}
    assert shorten_log(folder, begins) > 0
    assert shorten_log(folder, begins) == 0
    numbers = [int(path.name[:20]) for path in (folder / "_delta_log").glob("*.json")]
    assert sorted(numbers) == list(range(begins, 8))
    for version in range(begins, 8):
        assert sorted(scan_table(folder, version).collect()["id"]) == before[version]
    with pytest.raises(DeltaError):
        DeltaTable(folder, version=begins - 1)
    write_deltalake(folder, pl.DataFrame({"id": ["new"]}), mode="append")
    assert sorted(scan_table(folder).collect()["id"]) == sorted([*before[7], "new"])


def test_a_log_that_begins_with_its_first_version_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is made for nothing."""
    folder = tmp_path / "table"
    write_deltalake(folder, pl.DataFrame({"id": ["a"]}))
    assert shorten_log(folder, 0) == 0
    assert [path.name for path in (folder / "_delta_log").iterdir()] == [f"{0:020d}.json"]
