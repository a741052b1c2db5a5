"""A schema is read off a table: types, roles, the task that the target sets."""

from datetime import UTC, datetime

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.core.settings import Task
from heptad.data import ColumnExpectation, DataSettings, infer_schema
from heptad.data.columns import schema
from heptad.data.columns.dialogues import converse
from heptad.data.columns.schema import LABEL_TIME, named_columns

FRAME = pl.DataFrame(
    {
        "id": ["a", "b", "c"],
        "t": [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)],
        LABEL_TIME: [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)],
        "size": [1.5, 2.5, None],
        "kind": ["x", "y", "x"],
        "y": ["no", "yes", None],
    }
)
SETTINGS = DataSettings(target="y", key=["id"], time="t")


def infer_task(values: pl.Series, given: Task | None = None) -> Task:
    """The same of a table in memory and of one that is read in parts."""
    frame = values.to_frame()
    task = schema.infer_task(frame.lazy(), values.name, given)
    assert task == schema.infer_task(frame, values.name, given)
    return task


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "c"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 1], "classification"),
        ([3.5, 7.25], "classification"),
        ([0, 1, 2], "classification"),
        ([1.0, 2.0, 3.0], "classification"),
        (list(range(10)), "classification"),
        ([3, 4, 5, 6, 7, 8], "regression"),
        ([1, 2, 4], "regression"),
        ([0.5, 1.5, 2.5], "regression"),
        (list(range(50)), "regression"),
    ],
)
def test_the_target_sets_the_task(values: list, task: str) -> None:
    """Text, booleans, two values and codes counted from 0 or 1 are classes; other numbers are to be predicted."""
    assert infer_task(pl.Series("y", values * 3)) == task


@pytest.mark.parametrize(
    ("values", "given", "problem"),
    [
        ([None, None], None, "is empty in all 2 rows"),
        (["a", "a", None], None, "is 'a' in all 2 rows: there is nothing to learn"),
        ([datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)], None, "holds times"),
        ([f"name {x}" for x in range(101)], None, "has 101 different values in 101 rows"),
        (["a", "b"], "regression", "holds String, such as 'a'"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused(values: list, given: str | None, problem: str) -> None:
    """Empty, constant, times, a name for every row, text where numbers are asked for."""
    with pytest.raises(DataError, match=problem):
        infer_task(pl.Series("y", values), given)  # type: ignore[arg-type]


def test_roles_types_and_values_are_read_off() -> None:
    """Columns have the roles of the settings and the types of their content; values and ranges are kept."""
    schema = infer_schema(FRAME, SETTINGS)
    assert {column.name: (column.type, column.role) for column in schema.columns} == {
        "id": ("category", "key"),
        "t": ("datetime", "time"),
        LABEL_TIME: ("datetime", "label_time"),
        "size": ("number", "feature"),
        "kind": ("category", "feature"),
        "y": ("category", "target"),
    }
    assert (schema.task, schema.classes, schema.target) == ("classification", ["no", "yes"], "y")
    size, kind = schema.features()
    assert (size.min, size.max, size.nullable) == (1.5, 2.5, True)
    assert kind.categories == ["x", "y"]
    assert [column.nullable for column in schema.columns if column.role in {"key", "time"}] == [False, False]


def test_what_a_person_requires_closes_a_column() -> None:
    """An allowed set is closed, a missing share of nothing makes a column complete."""
    expected = {"kind": ColumnExpectation(allowed=["x", "y", "z"]), "size": ColumnExpectation(missing=0)}
    size, kind = infer_schema(FRAME, SETTINGS, expected).features()
    assert (kind.closed, kind.categories) == (True, ["x", "y", "z"])
    assert not size.nullable


def test_types_and_roles_of_the_reference_bind() -> None:
    """What was a category stays one, what was left out stays out, and a new column is kept but not learnt from."""
    reference = infer_schema(FRAME, SETTINGS, left_out={"size": "because"})
    grown = FRAME.with_columns(
        new=pl.Series([1, 2, 3]), kind=pl.Series([f"a long text of many words {x}" for x in "xyz"])
    )
    schema = infer_schema(grown, SETTINGS, reference=reference)
    assert [column.name for column in schema.features()] == ["kind"]
    assert schema.features()[0].type == "category"
    assert schema.named("ignored") == ["size", "new"]


@pytest.mark.parametrize("setting", ["target", "key", "time", "label_time", "ignore", "types"])
def test_columns_that_are_not_there_are_named(setting: str) -> None:
    """Each setting that names a column says so itself, with the nearest name."""
    settings = {
        "target": DataSettings(target="z"),
        "key": DataSettings(target="y", key=["z"]),
        "time": DataSettings(target="y", time="z"),
        "label_time": DataSettings(target="y", label_time="z"),
        "ignore": DataSettings(target="y", ignore=["z"]),
        "types": DataSettings(target="y", types={"z": "text"}),
    }[setting]
    with pytest.raises(DataError, match=rf"no column 'z', which \[data\] {setting} names") as error:
        infer_schema(FRAME, settings)
    assert "kind" in error.value.allowed


def test_without_features_there_is_nothing_to_learn_from() -> None:
    """The error lists why each column was left out."""
    with pytest.raises(DataError, match=r"No column is left to learn 'y' from\.\n  a: constant"):
        infer_schema(pl.DataFrame({"a": [1, 1], "y": [0, 1]}), DataSettings(target="y"), left_out={"a": "constant"})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["red", "blue"] * 5, "category"),
        ([f"a sentence about number {x}" for x in range(20)], "text"),
        (["the same words again"] * 20, "category"),
        ([f"id-{x}" for x in range(20)], "category"),
        (["New York", "Los Angeles"] * 5, "category"),
        ([None, None], "category"),
    ],
)
def test_prose_is_told_from_names(values: list, kind: str) -> None:
    """Text is read word by word only where it is several words and mostly different."""
    frame = pl.DataFrame({"x": values}, schema={"x": pl.String})
    assert converse(frame, [schema.infer_type("x", pl.String())]) == [kind]


def test_errors_offer_the_columns_that_somebody_has_named() -> None:
    """Nobody means to clean, expect or erase by what the table adds for itself."""
    assert named_columns(["_row", *FRAME.columns, "_label_probability"]) == ["id", "t", "size", "kind", "y"]
