"""A data set of three versions with one person in it, who is named in a key, an e-mail and a town."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from heptad.core.records import Record
from heptad.data import CleanRule, CleanSettings, Data, DataSettings, DatasetVersion, Subjects

WHO = Subjects(columns=["customer"], keys=[["cust-17"]])


def people(count: int) -> pl.DataFrame:
    towns = ["Bonn", "Ulm", "Köln"]
    return pl.DataFrame(
        {
            "customer": [f"cust-{one}" for one in range(count)],
            "email": [f"u{one}@mail.example" for one in range(count)],
            "town": ["Zzyzx-on-Sea" if one == 17 else towns[one % 3] for one in range(count)],
            "age": [109 if one == 17 else 20 + one % 50 for one in range(count)],
            "paid": [["yes", "no"][one % 2] for one in range(count)],
        }
    )


@pytest.fixture
def collected(open_data: Callable[..., Data], write: Callable[..., Path]) -> Callable[[int], Record[DatasetVersion]]:
    """Collects a version of so many people."""

    def collect(count: int) -> Record[DatasetVersion]:
        write(people(count))
        return door(open_data).collect()

    return collect


def door(open_data: Callable[..., Data]) -> Data:
    clean = CleanSettings(columns={"town": CleanRule(case="lower")})
    return open_data(DataSettings(target="paid", key=["customer"]), clean=clean)
