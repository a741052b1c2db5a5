"""The rarest pair of neighbouring characters, and the rarest word, of each value."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column, Floats
from heptad.data.cleaning.suggesting.rarity import surprise

LONGEST = 96
_BUCKETS = 1 << 16
_BLOCK = 1 << 15


def _points(values: list[str]) -> np.ndarray:
    array = np.array([v[:LONGEST].lower() for v in values], dtype=f"U{LONGEST}")
    return array.view(np.uint32).reshape(len(values), LONGEST)


def rarest_character(column: Column) -> Floats:
    return _rarest(column, 1)


def rarest_pair(column: Column) -> Floats:
    return _rarest(column, 2)


def _rarest(column: Column, size: int) -> Floats:
    table = np.zeros(_BUCKETS)
    texts = column.values.to_list()
    for start in range(0, len(texts), _BLOCK):
        keys, there = _keys(texts[start : start + _BLOCK], size)
        weights = np.broadcast_to(column.counts[start : start + _BLOCK, None], keys.shape)
        table += np.bincount(keys[there], weights=weights[there], minlength=_BUCKETS)
    least = np.full(len(texts), np.inf)
    for start in range(0, len(texts), _BLOCK):
        keys, there = _keys(texts[start : start + _BLOCK], size)
        least[start : start + _BLOCK] = np.where(there, table[keys], np.inf).min(axis=1)
    return surprise(least, column.counts)


def _keys(texts: list[str], size: int) -> tuple[np.ndarray, np.ndarray]:
    points = _points(texts).astype(np.int64)
    digit = (points >= 48) & (points <= 57)
    points = np.where(digit, 57, points)
    if size == 1:
        return points % _BUCKETS, points > 0
    # a start sign, so that the first character counts too
    before = np.concatenate([np.full((len(points), 1), 2), points[:, :-1]], axis=1)
    return (before * 1009 + points) % _BUCKETS, before > 0


def rarest_word(column: Column) -> Floats:
    words = (
        pl.DataFrame({"value": np.arange(len(column.values)), "word": column.values, "n": column.counts})
        .with_columns(pl.col("word").str.to_lowercase().str.extract_all(r"[\p{L}\p{M}']+|[0-9]+"))
        .explode("word", empty_as_null=True)
        .with_columns(pl.when(~pl.col("word").str.contains("^[0-9]")).then("word").fill_null("0"))
    )
    least = (
        words.with_columns(total=pl.col("n").sum().over("word"))
        .group_by("value")
        .agg(pl.col("total").min())
        .sort("value")
    )
    return surprise(least["total"].to_numpy().astype(float), column.counts)
