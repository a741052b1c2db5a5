"""Words that stand for a missing value."""

import polars as pl

STRONG = (
    "n/a",
    "na",
    "#n/a",
    "#na",
    "<na>",
    "n.a.",
    "n.a",
    "nan",
    "-nan",
    "null",
    "none",
    "nil",
    "(null)",
    "\\n",
    "#null!",
    "-",
    "--",
    "---",
    "?",
    "??",
    "???",
    ".",
    "..",
    "…",
    "\u2013",
    "\u2014",
    "_",
    "*",
    "#",
    "#ref!",
    "#value!",
    "#div/0!",
    "(none)",
    "[null]",
)
"""Read as missing by the common readers of tables, or nothing but signs."""
WEAK = (
    "empty",
    "missing",
    "unknown",
    "not available",
    "not applicable",
    "not known",
    "not given",
    "not specified",
    "unspecified",
    "undefined",
    "undisclosed",
    "no data",
    "no value",
    "not provided",
    "not reported",
    "not found",
    "unavailable",
    "unk",
    "tbd",
    "tba",
    "blank",
    "void",
    "nothing",
    "(blank)",
    "(empty)",
    "(missing)",
    "(unknown)",
    "dk",
    "n/d",
    "nd",
    "-1",
    "-99",
    "-999",
    "-9999",
    "99999",
    "999999",
    "0000-00-00",
    "1900-01-01",
    "1970-01-01",
    "9999-12-31",
    "00/00/0000",
)
"""Often a missing value, and sometimes a value."""


def strong(values: pl.Series) -> pl.Series:
    return values.str.strip_chars().str.to_lowercase().is_in(list(STRONG))


def weak(values: pl.Series) -> pl.Series:
    return values.str.strip_chars().str.to_lowercase().is_in(list(WEAK))
