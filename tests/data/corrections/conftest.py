"""A table with a key, its first version, and a file of corrections."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import Open

from heptad.core.workspace import Workspace
from heptad.data import Data, DataSettings

ROWS = pl.DataFrame(
    {
        "k": [f"r{number:02}" for number in range(30)],
        "x": [float(number) for number in range(30)],
        "n": list(range(30)),
        "flag": [number % 3 == 0 for number in range(30)],
        "y": ["cat", "dog", "cat"] * 10,
    }
)


@pytest.fixture
def data(open_data: Open, write: Callable[..., Path]) -> Data:
    write(ROWS)
    opened = open_data(DataSettings(target="y", key=["k"]))
    opened.collect()
    return opened


@pytest.fixture
def file(workspace: Workspace) -> Callable[..., Path]:
    """Writes lines `key,column,value,reason` into a CSV file."""

    def written(*lines: str, head: str = "k,column,value,reason") -> Path:
        path = workspace.root / "corrections.csv"
        path.write_text("\n".join([head, *lines]) + "\n")
        return path

    return written
