"""Labelling functions of a project: found by name, and read as Polars expressions of the table."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError, HeptadError, TaskError
from heptad.data.assembling.function import ProjectFunction

SETTING = "[labelling] functions"


class Voters:
    """The functions of the settings, as expressions over the rows of the table."""

    def __init__(self, root: Path, addresses: Sequence[str]) -> None:
        self.names = list(addresses)
        self._functions = [ProjectFunction(root, address, SETTING) for address in addresses]

    def digests(self) -> list[str]:
        """Of the files that they are in: others may vote otherwise."""
        return [one.digest() for one in self._functions]

    def votes(self, rows: pl.LazyFrame) -> list[pl.Expr]:
        """What each says of each row, as text; null where it does not know. Raises `DataError`, `TaskError`."""
        return [self._votes(name, one, rows) for name, one in zip(self.names, self._functions, strict=True)]

    def _votes(self, name: str, function: ProjectFunction, rows: pl.LazyFrame) -> pl.Expr:
        made = function.value()
        if callable(made) and not isinstance(made, pl.Expr):
            try:
                made = made(rows)
            except HeptadError:
                raise
            except Exception as error:
                raise TaskError(f"The labelling function {name} failed: {type(error).__name__}: {error}.") from error
        if not isinstance(made, pl.Expr):
            raise DataError(
                f"The labelling function {name} is a {type(made).__name__}.",
                allowed="a polars expression, or a function of the table that answers one",
            )
        votes = made.cast(pl.String)
        try:
            rows.select(votes.alias("vote")).collect_schema()
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"The labelling function {name} does not fit the table: {str(error).splitlines()[0]}.",
                allowed=f"the columns {', '.join(rows.collect_schema().names())}",
            ) from error
        return votes
