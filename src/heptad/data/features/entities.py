"""Reads the file of entities and times that a training set is made for."""

from pathlib import Path

import polars as pl

from heptad.data.assembling.inputs import Inputs
from heptad.data.columns.column_types import Dates
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place

_NAME = "entities"


def read_entities(path: Path, time: str = "", timezone: str = "UTC") -> pl.LazyFrame:
    """The rows of a file, typed as those of a source are, with the column `time` in UTC.

    Times that name no zone are of `timezone`. Raises `DataError` for what cannot be read.
    """
    settings = SourceSettings(uri=str(path.resolve()), time=time)
    inputs = Inputs(
        Place(root=path.resolve().parent, timezone=timezone), {_NAME: settings}, Dates(timezone=timezone), ()
    )
    return inputs.read(_NAME).rows
