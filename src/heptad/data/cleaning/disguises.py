"""Rules that make values say less about a person: pseudonyms, masks, bands of numbers, periods of time, prefixes.

They come last, after every rule that has to see the value as it is; a request is treated by the same expressions.
"""

import numpy as np
import polars as pl
from blake3 import blake3

from heptad.core.errors import SettingsError
from heptad.core.secrets import reveal
from heptad.data.cleaning.steps import Given, Step

SHORTEST_KEY = 16
"""Characters; a shorter key could be tried out."""
_LENGTH = 16
"""Bytes of a pseudonym: among a billion people, two have the same one with a chance of 1 in 10**21."""
_HIDDEN = "****"


def pseudonym(given: Given) -> Step:
    """A keyed hash of the text (BLAKE3): the same for the same value in every table with this key, and no way back.

    Whoever has the key can try values out, so it stays out of the workspace: `${NAME}` of the environment.
    """
    key = pseudonym_key(given.rule.pseudonym)

    def hashed(values: pl.Series) -> pl.Series:
        table = {text: pseudonym_of(text, key) for text in values.unique().drop_nulls().to_list()}
        return values.replace_strict(table, default=None, return_dtype=pl.String) if table else values

    def repair(value: pl.Expr) -> pl.Expr:
        return value.cast(pl.String).map_batches(hashed, return_dtype=pl.String, is_elementwise=True)

    return Step("pseudonym", given.column, repair, _present, kind=pl.String(), hides=True)


def pseudonym_of(text: str, key: bytes) -> str:
    """What stands for a value under a key of 32 bytes."""
    return blake3(text.encode(), key=key).hexdigest(_LENGTH)


def pseudonym_key(setting: str) -> bytes:
    """The key of 32 bytes that a setting such as `${PSEUDONYMS}` names; raises `SettingsError` for a short one."""
    secret = reveal(setting)
    if len(secret) < SHORTEST_KEY:
        raise SettingsError(
            f"The key {setting} of pseudonyms has {len(secret)} characters.",
            allowed=f"{SHORTEST_KEY} or more",
            remedy="make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return blake3(secret.encode(), derive_key_context="heptad pseudonyms 1").digest()


def mask(given: Given) -> Step:
    """All but the last characters become four stars, however many they are; a text that short is hidden whole."""
    shown = given.rule.mask or 0

    def repair(value: pl.Expr) -> pl.Expr:
        tail = value.str.tail(shown) if shown else pl.lit("")
        # What was hidden whole stays so when it is hidden again.
        whole = (value.str.len_chars() <= shown) | (value == _HIDDEN)
        hidden = pl.when(whole).then(pl.lit(_HIDDEN)).otherwise(pl.lit(_HIDDEN) + tail)
        return pl.when(value.is_not_null()).then(hidden)

    return Step("mask", given.column, repair, hides=True)


def band(given: Given) -> Step:
    """A number becomes the lower edge of its band: with 10, 37 becomes 30."""
    width, kind = given.rule.band, given.kind

    def edges(values: pl.Series) -> pl.Series:
        # Not by Polars, whose quotients by a constant differ in their last digit with the number of rows.
        known = values.drop_nulls().to_numpy()
        edge = pl.Series(np.floor(known / width) * width, dtype=pl.Float64).cast(kind)
        return values.scatter(values.is_not_null().arg_true(), edge)

    def repair(value: pl.Expr) -> pl.Expr:
        return value.map_batches(edges, return_dtype=kind, is_elementwise=True)

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
