"""Cleans rows into a Parquet file, outside of any project."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from heptad.data.cleaning.aside import ASIDE, SettingAside, rows_aside, without_marks
from heptad.data.cleaning.rules import fit_repairs, rows_where
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.expectations.checks import refuse
from heptad.data.passes import ask
from heptad.data.records import Repair


def clean_file(rows: pl.LazyFrame, settings: CleanSettings, into: Path, aside: Path | None = None) -> list[Repair]:
    """Writes the rows that stay to `into`, in their order, and those set aside to `aside`; answers what was done.

    The rules of columns and of kinds of rows, not those of copies and targets, which are a project's. Rows may be
    larger than memory. Without `aside` the rows set aside are counted and not written. Raises `DataError` for wrong
    rules and for a value that a rule refuses; then there is no file.
    """
    repairing = fit_repairs(rows, settings)
    marked = repairing.rows(rows)
    types = marked.collect_schema()
    setting = SettingAside(
        repairing.unfit() | {f"rows {name}": where for name, where in rows_where(settings, types).items()}
    )
    marked = setting.rows(marked) if setting.rules else marked
    kept = without_marks(marked.filter(pl.col(ASIDE).is_null()) if setting.rules else marked)
    # Written and counted in one pass; what is compiled for both is computed once.
    part = into.with_name(f".{into.name}.part")
    try:
        counts, gone, _ = ask(marked, repairing, setting, _Writing(kept, part))
        refuse(repairing.findings(counts), into.stem)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)
    if gone and aside is not None:
        rows_aside(marked).drop("content").sink_parquet(aside)
    return [*repairing.repairs(rows, counts), *gone]


class _Writing:
    """A question that is answered by a file."""

    def __init__(self, rows: pl.LazyFrame, into: Path) -> None:
        self._query = rows.sink_parquet(into, lazy=True)

    def expressions(self) -> Sequence[pl.Expr]:
        return ()

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return [self._query]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> None:
        """Nothing to tell."""
