"""Dates as people write them: which pattern a text has, and the same day in another pattern."""

import re

import polars as pl

from heptad.data.cleaning.suggesting.programs import MONTHS

_DAY, _MONTH = r"(?P<D>0?[1-9]|[12][0-9]|3[01])", r"(?P<M>0?[1-9]|1[0-2])"
_YEAR, _NAME = r"(?P<Y>[0-9]{4})", r"(?P<b>[A-Za-z]{3,9})"
PATTERNS = {
    "Y-M-D": rf"^{_YEAR}-{_MONTH}-{_DAY}$",
    "Y/M/D": rf"^{_YEAR}/{_MONTH}/{_DAY}$",
    "M/D/Y": rf"^{_MONTH}/{_DAY}/{_YEAR}$",
    "M/D/y": rf"^{_MONTH}/{_DAY}/(?P<y>[0-9]{{2}})$",
    "D.M.Y": rf"^{_DAY}\.{_MONTH}\.{_YEAR}$",
    "D/M/Y": rf"^(?P<D>1[3-9]|2[0-9]|3[01])/{_MONTH}/{_YEAR}$",
    "D b Y": rf"^{_DAY} {_NAME} {_YEAR}$",
    "b D, Y": rf"^{_NAME} {_DAY}, {_YEAR}$",
}
"""Name to expression; a day first is only believed where the number can be no month."""
_COMPILED = {name: re.compile(expression) for name, expression in PATTERNS.items()}


def pattern(texts: pl.Series) -> pl.Series:
    """The name of each text's pattern, null where it has none."""
    found = pl.lit(None, dtype=pl.String)
    for name, expression in reversed(PATTERNS.items()):
        found = (
            pl.when(pl.col("text").str.contains(re.sub(r"\?P<\w>", "", expression))).then(pl.lit(name)).otherwise(found)
        )
    return texts.to_frame("text").select(found.alias("pattern")).to_series()


def rewritten(text: str, wanted: str) -> str | None:
    """The same day in the wanted pattern; None where the text is in it already, or no date."""
    for name, expression in _COMPILED.items():
        found = expression.match(text)
        if found is None:
            continue
        if name == wanted:
            return None
        parts = found.groupdict()
        month = _month(parts)
        year = parts["Y"] if "Y" in parts else _century(parts["y"])
        if month:
            return _written(int(year), month, int(parts["D"]), wanted)
    return None


def _month(parts: dict[str, str]) -> int:
    if "M" in parts:
        return int(parts["M"])
    return next((at for at, name in enumerate(MONTHS, 1) if name.startswith(parts["b"].lower())), 0)


def _century(year: str) -> str:
    return ("19" if int(year) >= 69 else "20") + year


def _written(year: int, month: int, day: int, wanted: str) -> str:
    name = MONTHS[month - 1].title()
    return {
        "Y-M-D": f"{year}-{month:02d}-{day:02d}",
        "Y/M/D": f"{year}/{month:02d}/{day:02d}",
        "M/D/Y": f"{month}/{day}/{year}",
        "M/D/y": f"{month}/{day}/{year % 100:02d}",
        "D.M.Y": f"{day:02d}.{month:02d}.{year}",
        "D/M/Y": f"{day:02d}/{month:02d}/{year}",
        "D b Y": f"{day} {name[:3]} {year}",
        "b D, Y": f"{name[:3]} {day}, {year}",
    }[wanted]
