"""Holds small tables against expectations as heptad.toml would say them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from heptad.data import ExpectSettings, Finding
from heptad.data.columns.keys import ROW
from heptad.data.expectations.checks import Expectations
from heptad.data.expectations.definitions import Context
from heptad.data.passes import ask

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def context_of(frame: pl.DataFrame, **more: Any) -> Context:
    return Context(**{"types": frame.schema, "now": NOW, "root": Path("/nowhere"), **more})


def hold(frame: pl.DataFrame, context: Context | None = None, **expect: Any) -> list[Finding]:
    """What is found of `[expect]` with these settings; `columns` and `table` as in the file."""
    return asked(frame, context, **expect)[0]


def asked(
    frame: pl.DataFrame, context: Context | None = None, **expect: Any
) -> tuple[list[Finding], Callable[[], list[int]]]:
    """The findings, and for each of them that is broken how many rows its query gives."""
    settings = msgspec.convert({"infer": False, **expect}, ExpectSettings)
    expected = Expectations(context or context_of(frame), [ROW], settings, None)
    (findings,) = ask(frame.lazy(), expected)

    def broken() -> list[int]:
        made = [one.test.broken for _, one in expected.failed(findings)]
        return [-1 if one is None else one(frame.lazy()).collect().height for one in made]

    return findings, broken


def one_of(frame: pl.DataFrame, column: str = "x", context: Context | None = None, **expectation: Any) -> Finding:
    """What is found of one expectation of a column."""
    (finding,) = hold(frame, context, columns={column: expectation})
    return finding


def one_of_table(frame: pl.DataFrame, context: Context | None = None, **expectation: Any) -> Finding:
    """What is found of one expectation of whole rows, or of the table."""
    (finding,) = hold(frame, context, table=[expectation])
    return finding
