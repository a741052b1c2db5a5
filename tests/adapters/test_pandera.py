"""Schemas and models of Pandera, for pandas and Polars, become expectations; what has no twin is named."""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pandera.errors
import pandera.pandas as pa
import pandera.polars as pap
import polars as pl
import pytest
from tests.data.expectations.conftest import hold

from heptad.adapters.pandera import written_schema
from heptad.core.errors import DataError
from heptad.data import import_expectations
from heptad.data.expectations.importing.pandera import read_schema
from heptad.data.expectations.importing.translation import Imported


def translated(given: object) -> Imported:
    written = written_schema(given)
    return read_schema(written.written, written.left_out)


class Orders(pa.DataFrameModel):
    id: int = pa.Field(ge=0, unique=True, description="of the order")
    kind: str = pa.Field(isin=["a", "b"], nullable=True)
    code: str = pa.Field(str_matches="[A-Z]+", str_length={"min_value": 2, "max_value": 5})
    price: float = pa.Field(in_range={"min_value": 0, "max_value": 9, "include_max": False}, raise_warning=True)

    @pa.check("id")
    @classmethod
    def even(cls, values: Any) -> Any:
        return values % 2 == 0

    @pa.dataframe_check
    @classmethod
    def dear(cls, frame: Any) -> Any:
        return frame["price"] > 0

    class Config:
        strict = True
        unique = ["id", "kind"]
        coerce = True


class Clicks(pap.DataFrameModel):
    number: int = pap.Field(gt=0, lt=10)
    at: pl.Datetime = pap.Field()
    tags: pl.List(pl.String) = pap.Field()  # type: ignore[valid-type]


def test_a_model_for_pandas() -> None:
    """Types, checks, severities, uniqueness of several columns; functions and changes are named."""
    found = translated(Orders)
    columns = {column: parts[0] for column, parts in found.columns.items()}
    assert (columns["id"].type, columns["id"].unique, columns["id"].min, columns["id"].missing) == (
        "integer",
        True,
        0,
        0,
    )
    assert columns["id"].about == "of the order"
    assert (columns["kind"].allowed, columns["kind"].missing) == (["a", "b"], None)
    code = columns["code"]
    assert code.matches == "^(?:[A-Z]+)"
    assert code.length is not None
    assert (code.length.min, code.length.max) == (2, 5)
    _, price = found.columns["price"]
    assert (price.min, price.below, price.severity) == (0, 9, "warning")
    assert [one.unique_with_missing for one in found.table if one.unique_with_missing] == [["id", "kind"]]
    assert [one.columns for one in found.table if one.columns] == [["id", "kind", "code", "price"]]
    assert [one.name for one in found.left_out] == [
        "even of id",
        "the type of price",
        "coerce",
        "dear of the whole frame",
    ]


def test_a_model_for_polars() -> None:
    """A type without a twin is named, and the column is there all the same."""
    found = translated(Clicks)
    (number,), (at,), (tags,) = (found.columns[name] for name in ("number", "at", "tags"))
    assert (number.type, number.above, number.below) == ("integer", 0, 10)
    assert (at.type, tags.type) == ("datetime", None)
    assert [one.name for one in found.left_out] == ["the type of tags"]


def test_schemas_with_all_that_has_no_twin() -> None:
    """Parsers, defaults, groups, tests of hypotheses, patterns of names, indexes, and whole frames that are changed."""
    schema = pa.DataFrameSchema(
        {
            "at": pa.Column(
                "datetime64[ns, UTC]",
                checks=[pa.Check.ge(pd.Timestamp("2020-01-01")), pa.Hypothesis.one_sample_ttest(popmean=0)],
            ),
            "n": pa.Column(
                None,
                checks=[pa.Check.isin({3, 1, 2}), pa.Check(lambda _: True), pa.Check(len, groupby="at")],
                parsers=pa.Parser(abs),
                default=1,
                required=False,
            ),
            "x_.*": pa.Column(float, regex=True),
        },
        dtype="int64",
        parsers=pa.Parser(abs),
        add_missing_columns=True,
        drop_invalid_rows=True,
        index=pa.MultiIndex([pa.Index(int, name="a"), pa.Index(int)]),
    )
    found = translated(schema)
    (at,), (n,) = found.columns["at"], found.columns["n"]
    assert at.not_before == "2020-01-01T00:00:00"
    assert n.allowed == [1, 2, 3]
    assert [one.name for one in found.left_out] == [
        "the dtype of the whole frame",
        "the parsers of the frame",
        "add_missing_columns",
        "drop_invalid_rows",
        "len of n",
        "the parsers of n",
        "the default of n",
        "one_sample_ttest of at",
        "required = false of n",
        "<lambda> of n",
        "the columns x_.*",
        "the index a",
        "the index 1",
    ]


def test_a_schema_for_polars_in_order() -> None:
    """Values of sets, and what is true of all columns together."""
    schema = pap.DataFrameSchema(
        {"z": pap.Column(pl.Int32, [pap.Check.eq(3), pap.Check.unique_values_eq([2, 1])], nullable=True)},
        strict=True,
        ordered=True,
    )
    found = translated(schema)
    (z,) = found.columns["z"]
    assert (z.type, z.allowed, msgspec.structs.asdict(z)["values"]) == ("integer", [3], [1, 2])
    assert [one.columns_in_order for one in found.table] == [["z"]]


@pytest.mark.parametrize("written", ["yaml", "json", "object"])
def test_a_check_is_the_same_from_a_file_and_from_an_object(written: str, tmp_path: Path) -> None:
    """With options, and twice."""
    checks = [pa.Check.gt(0, raise_warning=True), pa.Check.gt(1, raise_warning=True), pa.Check.in_range(0, 9)]
    schema = pa.DataFrameSchema({"n": pa.Column("int64", checks), "m": pa.Column("int64", pa.Check.le(9, error="x"))})
    file = tmp_path / f"schema.{written}"
    if written != "object":
        file.write_text(schema.to_yaml() if written == "yaml" else schema.to_json())
    found = translated(schema) if written == "object" else import_expectations(file)
    assert found.left_out == []
    first, *warned = found.columns["n"]
    assert (first.min, first.max) == (0, 9)
    assert [(one.above, one.severity) for one in warned] == [(0, "warning"), (1, "warning")]
    assert found.columns["m"][0].max == 9


@pytest.mark.parametrize("kind", [pa, pap])
def test_missing_values_break_what_they_break_in_pandera(kind: Any) -> None:
    """Two of them are alike, for columns together too, and a check that does not ignore them fails of them."""
    rows = {"k": ["a", "b", "b"], "f": [1.0, None, None]}
    column, check = kind.Column, kind.Check
    for columns, unique in [
        ({"f": column(float, nullable=True, unique=True)}, None),
        ({"k": column(str), "f": column(float, nullable=True)}, ["k", "f"]),
        ({"f": column(float, check.ge(0, ignore_na=False), nullable=True)}, None),
        ({"f": column(float, check.isin([1.0], ignore_na=False), nullable=True)}, None),
        ({"f": column(float, check.ge(0), nullable=True)}, None),
    ]:
        schema = kind.DataFrameSchema(columns, unique=unique)
        for count in (2, 3):
            frame = pl.DataFrame(rows).head(count)
            try:
                schema.validate(pd.DataFrame(rows).head(count) if kind is pa else frame)
                passed = True
            except (pandera.errors.SchemaError, pandera.errors.SchemaErrors):
                passed = False
            found = translated(schema)
            assert all(one.passed for one in hold(frame, columns=found.columns, table=found.table)) is passed


def test_a_check_of_groups_is_named_from_a_file_too() -> None:
    """It is no check of each value."""
    check = {"min_value": 0, "options": {"check_name": "greater_than", "groupby": "k"}}
    found = read_schema({"columns": {"c": {"nullable": True, "checks": [check]}}})
    assert [(one.name, one.why) for one in found.left_out] == [("greater_than of c", "it compares groups of rows")]


@pytest.mark.parametrize("given", [{"columns": {}}, int, pa.Column(int)])
def test_anything_else_is_refused(given: object) -> None:
    """With what it is."""
    with pytest.raises(DataError, match="This is a "):
        written_schema(given)
