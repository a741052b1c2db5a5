"""One text that names each row: its key, however many columns that has."""

import polars as pl

from heptad.data.records import Schema

ROW = "_row"
"""The key where the settings name none: the row's number, in order of time or of reading, from 0."""


def row_ids(frame: pl.DataFrame, schema: Schema) -> pl.Series:
    r"""The key of each row as text; several columns are joined by `|`, where a `|` inside one is written `\|`."""
    return frame.select(key_text(schema.named("key")).alias("id")).to_series()


def key_text(key: list[str]) -> pl.Expr:
    """The expression of a row's id; times are written in ISO 8601."""
    texts = [pl.col(name).cast(pl.String) for name in key]
    if len(texts) == 1:
        return texts[0]
    escaped = [text.str.replace_all(r"([\\|])", r"\$1") for text in texts]
    return pl.concat_str(escaped, separator="|", ignore_nulls=False)
