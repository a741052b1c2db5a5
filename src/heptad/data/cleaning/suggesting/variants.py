"""Spellings of one value that differ in blanks, case or signs only."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints


def variants(column: Column) -> tuple[Floats, Ints]:
    """Of each value: log10 of how much commoner its commonest sister is, and which that is (-1: it has none)."""
    table = (
        pl.DataFrame({"at": np.arange(len(column.values)), "n": column.counts, "v": column.values})
        .with_columns(key=pl.col("v").str.to_lowercase().str.replace_all(r"[\s.,;:'`\"_()\[\]-]+", ""))
        .with_columns(key=pl.when(pl.col("v").str.contains(r"^[-+]?[0-9.,]+$")).then("v").otherwise("key"))
    )
    found = table.with_columns(
        best=pl.col("at").sort_by("n", descending=True).first().over("key"),
        most=pl.col("n").max().over("key"),
    )
    lead = (found["most"] / found["n"]).log10().to_numpy()
    use = (found["key"] != "").to_numpy() & (found["best"].to_numpy() != found["at"].to_numpy())
    return np.where(use, lead + 0.3, 0.0), np.where(use, found["best"].to_numpy(), -1)
