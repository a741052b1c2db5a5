"""A request is cleaned as the table was."""

import polars as pl
import pytest

from heptad.core.records import Record
from heptad.data import CleanRule, CleanSettings, DataSettings, DatasetVersion, clean_rows
from heptad.data.cleaning.settings import RowRule

ROWS = 60
CLEAN = CleanSettings(
    columns={
        "size": CleanRule(units={"kg": 1, "g": 0.001}, unit="kg"),
        "city": CleanRule(trim=True, canonical={"Bonn": ["bonn"], "Kiel": []}, unlisted="drop"),
        "state": CleanRule(told_by=["code"]),
        "n": CleanRule(outliers="iqr", outlying="cap"),
        "grade": CleanRule(max=5, request="refuse"),
        "note": CleanRule(case="upper", request="warn"),
    },
    rows={"tests": RowRule(where="kind == 'test' and not n > 1000", reason="rows of a test", request="refuse")},
)


def table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": list(range(ROWS)),
            "size": [f"{n} g" if n % 2 else f"{n}.5kg" for n in range(ROWS)],
            "city": [(" Bonn", "bonn", "Kiel", "Rom")[n % 4] for n in range(ROWS)],
            "code": ["a", "b"] * (ROWS // 2),
            "state": ["X" if n == 5 else ("A", "B")[n % 2] for n in range(ROWS)],
            "n": [*range(ROWS - 1), 9000],
            "grade": [n % 7 for n in range(ROWS)],
            "note": [("low", "HIGH")[n % 3 == 0] for n in range(ROWS)],
            "kind": ["test" if n % 11 == 0 else "real" for n in range(ROWS)],
            "y": [("no", "yes")[n % 3 == 0] for n in range(ROWS)],
        }
    )


@pytest.fixture
def version(open_data, write) -> tuple[Record[DatasetVersion], pl.DataFrame]:
    write(table())
    data = open_data(DataSettings(target="y", key=["id"]), clean=CLEAN)
    made = data.collect()
    return made, data.scan(made).collect()


def test_rows_of_the_table_are_cleaned_alike(version) -> None:
    """Row by row, at once, and in the table; but for the column that a request is only warned of."""
    made, kept = version
    at_once = clean_rows(made.body, table())
    single = [clean_rows(made.body, table()[place]) for place in range(ROWS)]
    assert pl.concat([one.rows for one in single]).equals(at_once.rows)
    assert sum(len(one.repairs) for one in single) == len(at_once.repairs)
    assert len(at_once.rows) + len({one.row for one in at_once.refused}) == ROWS
    told = at_once.rows.filter(pl.col("id").is_in(kept["id"].to_list())).drop("note")
    same = kept.filter(pl.col("id").is_in(told["id"].to_list())).select(told.columns)
    assert told.equals(same.with_columns(pl.col("n", "grade")))


def test_each_rule_does_to_a_request_what_it_says(version) -> None:
    """Applied, warned of, refused with a reason."""
    made, _ = version
    row = {
        "size": "250 g",
        "city": "Ulm",
        "code": "b",
        "state": "Q",
        "n": 5000,
        "grade": 2,
        "note": "low",
        "kind": "real",
    }
    found = clean_rows(made.body, pl.DataFrame([row]))
    done = {(one.column, one.rule): one.done for one in found.repairs}
    assert done == {
        ("size", "units"): "applied",
        ("city", "canonical"): "warned",
        ("state", "told_by"): "applied",
        ("n", "outliers"): "applied",
        ("note", "case"): "warned",
    }
    (answer,) = found.rows.to_dicts()
    assert answer | {"n": 0} == row | {"size": 0.25, "state": "B", "n": 0}
    assert answer["n"] < 5000
    assert not found.refused


def test_what_is_refused_says_why(version) -> None:
    """A cell by its rule, a row by its reason; the other rows pass."""
    made, _ = version
    rows = pl.DataFrame({"grade": [9, 1, 1], "kind": ["real", "test", "real"], "n": [1, 1, 1]})
    found = clean_rows(made.body, rows)
    assert [one.row for one in found.refused] == [0, 1]
    assert "grade = '9'" in found.refused[0].reason
    assert found.refused[1].reason == "rows of a test"
    assert found.rows.to_dicts() == [{"grade": 1, "kind": "real", "n": 1}]


def test_columns_that_a_request_lacks_or_leaves_empty_are_no_error(version) -> None:
    """Rules of them do nothing."""
    made, _ = version
    found = clean_rows(made.body, pl.DataFrame({"size": [None], "state": [None]}))
    assert found.rows.to_dicts() == [{"size": None, "state": None}]


def test_a_value_whose_row_would_go_can_become_missing(open_data, write) -> None:
    """Where the column's `request` is to apply the rules."""
    write(table())
    rule = CleanRule(canonical={"A": [], "B": []}, unlisted="drop", request="apply")
    made = open_data(DataSettings(target="y", key=["id"]), clean=CleanSettings(columns={"state": rule})).collect()
    found = clean_rows(made.body, pl.DataFrame({"state": ["A", "Q"]}))
    assert found.rows["state"].to_list() == ["A", None]
    assert [(one.row, one.done, one.value) for one in found.repairs] == [(1, "applied", "Q")]
