"""A table as text, each column once as its different values and once as places in them."""

from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


class Column(msgspec.Struct, frozen=True):
    """`values` (m different texts, sorted; missing is the empty text), `codes` (n places in them), `counts` (m).

    `measured`: the texts are what a program printed of floating-point numbers, and their signs tell nothing.
    """

    name: str
    values: pl.Series
    codes: Ints
    counts: Ints
    measured: bool = False

    @property
    def rows(self) -> int:
        return len(self.codes)

    @property
    def empty(self) -> int:
        """The place of the empty text, -1 where no cell is empty: it sorts first."""
        return 0 if len(self.values) and self.values[0] == "" else -1

    def text(self, row: int) -> str:
        return str(self.values[int(self.codes[row])])


def encode(cells: pl.Series, *, measured: bool = False) -> Column:
    """A column of texts; null is the empty text."""
    texts = cells.cast(pl.String).fill_null("")
    codes = codes_of(texts)
    return Column(cells.name, texts.unique().sort(), codes, np.bincount(codes), measured)


def codes_of(texts: pl.Series) -> Ints:
    """The place of each text among the different ones in order."""
    return texts.rank("dense").cast(pl.Int64).to_numpy() - 1
