"""Rules that make values say less about a person: pseudonyms, masks, bands of numbers, periods of time, prefixes.

They come last, after every rule that has to see the value as it is; a request is treated by the same expressions.
"""

import polars as pl

from heptad.data.cleaning.keyed import HIDDEN, pseudonym_key, pseudonym_of
from heptad.data.cleaning.steps import Given, Step


def pseudonym(given: Given) -> Step:
    """A keyed hash of the text (BLAKE3): the same for the same value in every table with this key, and no way back.

    Whoever has the key can try values out, so it stays out of the workspace: `${NAME}` of the environment.
    """
    key = pseudonym_key(given.rule.pseudonym)

    def hashed(values: pl.Series) -> pl.Series:
        different = values.unique().drop_nulls()
        table = {text: pseudonym_of(text, key) for text in different.to_list()}
        return values.replace_strict(table, default=None, return_dtype=pl.String) if table else values

    def repair(value: pl.Expr) -> pl.Expr:
        return value.cast(pl.String).map_batches(hashed, return_dtype=pl.String, is_elementwise=True)

    return Step("pseudonym", given.column, repair, _present, kind=pl.String(), hides=True)


def mask(given: Given) -> Step:
    """All but the last characters become four stars, however many they are; a text that short is hidden whole."""
    shown = given.rule.mask or 0

    def repair(value: pl.Expr) -> pl.Expr:
        tail = value.str.tail(shown) if shown else pl.lit("")
        # What was hidden whole stays so when it is hidden again.
        whole = (value.str.len_chars() <= shown) | (value == HIDDEN)
        hidden = pl.when(whole).then(pl.lit(HIDDEN)).otherwise(pl.lit(HIDDEN) + tail)
        return pl.when(value.is_not_null()).then(hidden)

    return Step("mask", given.column, repair, hides=True)


def band(given: Given) -> Step:
    """A number becomes the lower edge of its band: with 10, 37 becomes 30."""
    width = given.rule.band

    def repair(value: pl.Expr) -> pl.Expr:
        edge = (value / width).floor() * width
        return edge.cast(given.kind) if given.kind.is_integer() else edge

    return Step("band", given.column, repair, hides=True)


def period(given: Given) -> Step:
    """A time becomes the beginning of its day, month, quarter or year, in UTC."""
    every = {"day": "1d", "month": "1mo", "quarter": "1q", "year": "1y"}[given.rule.period]
    return Step("period", given.column, lambda value: value.dt.truncate(every), hides=True)


def prefix(given: Given) -> Step:
    """The first characters stay: of a postcode the region."""
    return Step("prefix", given.column, lambda value: value.str.head(given.rule.prefix), hides=True)


def _present(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Every value counts as changed."""
    del after
    return before.is_not_null()
