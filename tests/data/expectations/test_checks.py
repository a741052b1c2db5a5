"""A person's expectations and the first version's promises bind; ranges and sets only warn."""

import json
from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

from heptad.core.errors import DataError, SettingsError
from heptad.data import ColumnExpectation, DataSettings, ExpectSettings, Finding, Schema, infer_schema
from heptad.data.expectations.checks import Expectations, bind, refuse
from heptad.data.expectations.definitions import Context
from heptad.data.passes import ask

SETTINGS = DataSettings(target="y", key=["k"])
FIRST = pl.DataFrame({"k": [1, 2, 3], "x": [0.0, 5.0, 9.0], "n": [1, 2, 3], "c": ["a", "b", "a"], "y": ["u", "v", "u"]})


def schema_of(frame: pl.DataFrame, reference: Schema | None = None) -> Schema:
    return infer_schema(frame, SETTINGS, reference=reference)


class Checked(msgspec.Struct):
    """What was found, and the rows that break what binds."""

    findings: list[Finding]
    aside: pl.DataFrame


def checked(frame: pl.DataFrame, settings: ExpectSettings | None = None, reference: Schema | None = None) -> Checked:
    context = Context(types=frame.schema, now=datetime(2026, 1, 1, tzinfo=UTC))
    expected = Expectations(context, SETTINGS.key, settings or ExpectSettings(), reference)
    (findings,) = ask(frame.lazy(), expected)
    empty = pl.LazyFrame(schema={"rule": pl.String, "row": pl.String})
    return Checked(findings, pl.concat([empty, *expected.broken(frame.lazy(), findings)]).collect())


def failed(findings: list[Finding]) -> dict[tuple[str, str], str]:
    return {(one.expectation, one.column): one.severity for one in findings if not one.passed}


def test_the_first_version_holds_to_itself() -> None:
    """Whatever is inferred from a table, that table passes."""
    findings = checked(FIRST, reference=schema_of(FIRST)).findings
    assert findings
    assert failed(findings) == {}


def test_keys_must_be_unique_and_there() -> None:
    """Rows that share a key, and rows without one, are errors; the rows are named for quarantine."""
    result = checked(FIRST.with_columns(k=pl.Series([1, 1, None])))
    assert failed(result.findings) == {("unique", "k"): "error", ("missing", "k"): "error"}
    assert len(result.aside) == 3
    assert [json.loads(row)["x"] for row in result.aside["row"]] == [0.0, 5.0, 9.0]
    with pytest.raises(DataError, match="key k: not unique, 2 rows share theirs") as error:
        refuse(result.findings, "flights")
    assert "key k: 1 row without it" in error.value.problem


def test_columns_and_types_of_the_reference_bind() -> None:
    """A column that is gone or holds something else is an error; a new one only warns."""
    changed = FIRST.drop("n").with_columns(x=pl.Series(["a", "b", "c"]), z=pl.Series([1, 2, 3]))
    assert failed(checked(changed, reference=schema_of(FIRST)).findings) == {
        ("present", "n"): "error",
        ("type", "x"): "error",
        ("known_column", "z"): "warning",
    }
    assert failed(checked(changed, ExpectSettings(infer=False), schema_of(FIRST)).findings) == {}


def test_ranges_and_sets_of_the_reference_warn() -> None:
    """Summer is hotter than the first quarter, and new places appear; both are said and neither refused."""
    later = FIRST.with_columns(x=pl.Series([-1.0, 5.0, 99.0]), c=pl.Series(["a", "z", None]))
    result = checked(later, reference=schema_of(FIRST))
    assert failed(result.findings) == {("range", "x"): "warning", ("allowed", "c"): "warning"}
    sentences = [one.sentence for one in result.findings if not one.passed]
    assert sentences == ["x: 2 values outside of 0 to 9", "c: 1 value that were not seen before"]
    refuse(result.findings, "flights")
    assert len(result.aside) == 0


@pytest.mark.parametrize(
    ("column", "expectation", "sentence"),
    [
        ("x", ColumnExpectation(min=1), "x: 1 value below 1"),
        ("x", ColumnExpectation(max=8), "x: 1 value above 8"),
        ("c", ColumnExpectation(allowed=["a"]), "c: 1 value other than a"),
        ("c", ColumnExpectation(unique=True), "c: not unique, 2 rows share theirs"),
        ("m", ColumnExpectation(unique=True, missing=0.5), "m: more than 50.0% is missing, null in 2 rows"),
    ],
)
def test_what_a_person_expects_binds(column: str, expectation: ColumnExpectation, sentence: str) -> None:
    """Each requirement of `[expect.columns]` that is broken refuses the version in words."""
    frame = FIRST.with_columns(m=pl.Series([None, None, 1]))
    result = checked(frame, ExpectSettings(columns={column: expectation}))
    with pytest.raises(DataError, match=sentence):
        refuse(result.findings, "flights")


def test_a_share_of_missing_values_is_tolerated() -> None:
    """Up to the share that a person allows, missing values pass."""
    frame = FIRST.with_columns(m=pl.Series([None, 2, 1]))
    assert failed(checked(frame, ExpectSettings(columns={"m": ColumnExpectation(missing=0.4)})).findings) == {}


def test_expectations_of_nothing_are_refused() -> None:
    """A column that is not there is a finding; a range of words is a mistake of the settings."""
    result = checked(FIRST, ExpectSettings(columns={"w": ColumnExpectation(min=0)}))
    with pytest.raises(DataError, match="w: there is no such column; there are: k, x, n, c, y"):
        refuse(result.findings, "flights")
    with pytest.raises(SettingsError, match="min is of numbers, and the column holds String"):
        checked(FIRST, ExpectSettings(columns={"c": ColumnExpectation(min=0)}))


def test_severity_settles_what_is_refused() -> None:
    """An error refuses with why it is expected; warnings and information are only found."""
    one = ColumnExpectation(max=1, severity="warning"), ColumnExpectation(min=1, severity="info")
    result = checked(FIRST, ExpectSettings(columns={"x": list(one)}))
    assert failed(result.findings) == {("max", "x"): "warning", ("min", "x"): "info"}
    refuse(result.findings, "flights")
    assert len(result.aside) == 0
    bound = checked(FIRST, ExpectSettings(columns={"x": ColumnExpectation(max=1, about="the gauge ends there")}))
    assert len(bound.aside) == 2
    with pytest.raises(DataError, match=r"x: 2 values above 1 \(the gauge ends there\)"):
        refuse(bound.findings, "flights")


def test_what_several_expectations_ask_is_asked_once() -> None:
    """Limits of one column share the number of its values, so that it is counted once."""
    settings = ExpectSettings(columns={"x": ColumnExpectation(min=0, max=9, above=-1, below=10)}, infer=False)
    context = Context(types=FIRST.schema, now=datetime(2026, 1, 1, tzinfo=UTC))
    expected = Expectations(context, ["_row"], settings, None)
    assert len(expected.expressions()) == 1 + 1 + 4
    assert ask(FIRST.lazy(), expected)[0][0].looked_at == 3


def test_types_are_bound_where_nothing_is_lost() -> None:
    """Whole numbers become numbers, whole-valued floats integers, numbers codes, nulls anything; the rest stays."""
    moved = pl.DataFrame(
        {
            "k": [1.0, 2.0],
            "x": [1, 2],
            "n": [1.5, 2.0],
            "c": [7, 8],
            "y": [None, None],
            "extra": [datetime(2020, 1, 1, tzinfo=UTC)] * 2,
        }
    )
    bound = bind(moved, schema_of(FIRST))
    assert bind(moved.lazy(), schema_of(FIRST)).collect().equals(bound)
    assert [str(kind) for kind in bound.dtypes[:5]] == ["Int64", "Float64", "Float64", "String", "String"]
    assert bound["c"].to_list() == ["7", "8"]
    assert bound["extra"].equals(moved["extra"])
