"""Rows are found in every version, and so is what only they hold."""

from collections.abc import Callable

import polars as pl
from tests.data.erasing.conftest import WHO, door, people

from heptad.core.workspace import Workspace
from heptad.data import Data
from heptad.data.erasing.finding import every_version, find_rows, longer_words


def test_rows_keys_and_what_nobody_else_has(workspace: Workspace, collected: Callable[..., object]) -> None:
    """A town that others live in too is no trace of them."""
    for count in (10, 40, 60):
        collected(count)
    found = find_rows(workspace, WHO)
    assert sorted(found.versions.values()) == [1, 1]
    assert found.ids == ["cust-17"]
    assert found.traces == {"customer": ["cust-17"], "email": ["u17@mail.example"], "town": ["zzyzx-on-sea"]}
    assert [one.body.version for one in every_version(workspace)] == [3, 2, 1]


def test_a_value_that_somebody_else_has_in_another_version_is_no_trace(
    workspace: Workspace, open_data: Callable[..., Data], collected: Callable[..., object], write: Callable[..., object]
) -> None:
    """Traces are searched for in files: what others have too would be found everywhere."""
    collected(40)
    write(people(60).with_columns(town=pl.when(pl.col("age") == 40).then(pl.lit("zzyzx-on-sea")).otherwise("town")))
    door(open_data).collect()
    assert "town" not in find_rows(workspace, WHO).traces


def test_words_of_others_that_hold_a_value_and_more_are_found(
    workspace: Workspace, collected: Callable[..., object]
) -> None:
    """Keys and texts of any version; a value that stands there as it is, is no such word."""
    assert longer_words(workspace, ["cust-1"]) == []
    collected(10)
    collected(20)
    assert longer_words(workspace, ["cust-1"]) == [f"cust-{one}" for one in range(10, 20)]
    assert longer_words(workspace, ["cust-17", "u17@mail"]) == []
    assert longer_words(workspace, []) == []
