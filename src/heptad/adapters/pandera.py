"""Schemas and models of Pandera, for pandas and Polars, written out as `pandera.io` would write them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from pandera.api.checks import Check
from pandera.api.dataframe.container import DataFrameSchema
from pandera.api.dataframe.model import DataFrameModel

from heptad.core.errors import DataError
from heptad.data import LeftOut, SchemaReader, WrittenSchema


def written_schema(given: object) -> WrittenSchema:
    """What a `DataFrameSchema` or a `DataFrameModel` says; raises `DataError` for anything else."""
    if isinstance(given, type) and issubclass(given, DataFrameModel):
        given = given.to_schema()
    if not isinstance(given, DataFrameSchema):
        raise DataError(
            f"This is a {type(given).__name__}.", allowed="a DataFrameSchema or a DataFrameModel of pandera"
        )
    schema: Any = given
    left_out = list(_left_out(schema))
    columns = {str(name): _column(str(name), column, left_out) for name, column in schema.columns.items()}
    index = [] if schema.index is None else getattr(schema.index, "indexes", [schema.index])
    return WrittenSchema(
        written={
            "columns": columns,
            "strict": schema.strict,
            "ordered": schema.ordered,
            "unique": schema.unique,
            "coerce": schema.coerce,
            "index": [{"name": one.name} for one in index],
            "checks": [{"check_name": _name(one)} for one in schema.checks],
        },
        left_out=left_out,
    )


def _column(name: str, column: Any, left_out: list[LeftOut]) -> dict[str, Any]:
    checks = []
    for check in column.checks:
        if getattr(check, "groupby", None) is not None:
            left_out.append(LeftOut(f"{_name(check)} of {name}", "it compares groups of rows"))
        else:
            checks.append(_check(check))
    if column.parsers:
        left_out.append(LeftOut(f"the parsers of {name}", "expectations change nothing; [clean] has rules that do"))
    if column.default is not None:
        left_out.append(LeftOut(f"the default of {name}", "expectations change nothing; [clean] has rules that do"))
    return {
        "dtype": None if column.dtype is None else str(column.dtype),
        "nullable": column.nullable,
        "unique": column.unique,
        "required": column.required,
        "regex": column.regex,
        "coerce": column.coerce,
        "title": column.title,
        "description": column.description,
        "checks": checks,
    }


def _check(check: Check) -> dict[str, Any]:
    statistics = {name: _plain(value) for name, value in (check.statistics or {}).items()}
    options = {"check_name": _name(check), "raise_warning": check.raise_warning, "ignore_na": check.ignore_na}
    return {**statistics, "options": options}


def _name(check: Any) -> str:
    return str(check.name or "a check without a name")


def _plain(value: Any) -> Any:
    """Values as JSON has them, lists of them as lists."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, str | date | Mapping) or value is None:
        return value
    if hasattr(value, "tolist"):  # of numpy and pandas
        return value.tolist()
    return list(value) if hasattr(value, "__iter__") else value


def _left_out(schema: Any) -> Iterator[LeftOut]:
    if schema.dtype is not None:
        yield LeftOut("the dtype of the whole frame", "a type is said of each column")
    if schema.parsers:
        yield LeftOut("the parsers of the frame", "expectations change nothing; [clean] has rules that do")
    if schema.add_missing_columns:
        yield LeftOut("add_missing_columns", "expectations change nothing")
    if schema.drop_invalid_rows:
        yield LeftOut("drop_invalid_rows", "a row is put aside by a rule of [clean]")


if TYPE_CHECKING:
    _: SchemaReader = written_schema
