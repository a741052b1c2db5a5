"""The promises of `Source` as tests: subclass `SourceContract` and give it two fixtures."""

from collections.abc import Callable

import polars as pl
import pytest

from heptad.data import Source

STORED = {pl.Int64(), pl.Float64(), pl.Boolean(), pl.String(), pl.Datetime("us", "UTC")}
"""What columns of a source may hold."""

Change = Callable[[], None]


class SourceContract:
    """Subclasses define `source`, which holds rows and a column `number` of numbers, and `change`, which adds a row."""

    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError

    @pytest.fixture
    def change(self) -> Change:
        raise NotImplementedError

    def test_reading_twice_gives_equal_rows_in_equal_order(self, source: Source) -> None:
        """What did not change outside reads the same, under the same digest."""
        digest, first = source.digest(), source.read().rows.collect()
        assert source.digest() == digest
        assert first.equals(source.read().rows.collect())
        assert len(first) > 0

    def test_columns_are_in_stored_types(self, source: Source) -> None:
        """Integers, numbers, booleans, text, and times in UTC; nothing else."""
        schema = source.read().rows.collect_schema()
        assert set(schema.dtypes()) <= STORED
        assert schema["number"].is_numeric()

    def test_columns_stay_text_where_asked(self, source: Source) -> None:
        """The rows are the same, with the named column as text."""
        table = source.read(keep_text=["number"]).rows.collect()
        assert len(table) == len(source.read().rows.collect())
        if table.schema["number"] == pl.String:
            assert table["number"].cast(pl.Float64).sum() == source.read().rows.collect()["number"].sum()

    def test_how_it_was_understood_is_told(self, source: Source) -> None:
        """At least the format is named."""
        assert source.read().understood

    def test_an_estimate_is_near_and_spoils_nothing(self, source: Source) -> None:
        """Rows are about as many as it says, where it says rows; and it reads as if nobody had asked."""
        estimate = source.estimate()
        rows = len(source.read().rows.collect())
        if estimate is not None:
            assert estimate.amount >= 0
            # A planner that has never looked at a small table takes it for one of some pages.
            assert estimate.unit != "rows" or rows / 10 <= estimate.amount <= max(rows * 10, 10_000)
        assert source.digest() == source.digest()

    def test_the_digest_changes_with_the_rows(self, source: Source, change: Change) -> None:
        """A row more is another digest, and the row is read."""
        digest, rows = source.digest(), len(source.read().rows.collect())
        change()
        assert source.digest() != digest
        assert len(source.read().rows.collect()) == rows + 1
