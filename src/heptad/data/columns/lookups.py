"""Values looked up in a table of known ones, batch by batch.

`pl.Expr.replace` and `replace_strict` say the same, but the streaming engine then holds the whole column in memory.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl


def look_up(values: pl.Expr, known: Mapping[Any, Any], kind: pl.DataType, default: Any = None) -> pl.Expr:
    """What `known` has for each value, as `kind`; for values that it does not have, and null, the default."""
    old, new = pl.Series(list(known)), pl.Series(list(known.values()), dtype=kind)

    def found(batch: pl.Series) -> pl.Series:
        return batch.replace_strict(old, new, default=default, return_dtype=kind)

    return values.map_batches(found, return_dtype=kind, is_elementwise=True) if known else pl.lit(default, kind)


def replace_known(texts: pl.Expr, known: Mapping[str, str]) -> pl.Expr:
    """The texts with those that `known` has replaced."""
    old, new = pl.Series(list(known), dtype=pl.String), pl.Series(list(known.values()), dtype=pl.String)

    def found(batch: pl.Series) -> pl.Series:
        return batch.replace(old, new)

    return texts.map_batches(found, return_dtype=pl.String(), is_elementwise=True) if known else texts
