"""What speaks against each different value of a column."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.values import NAMES, ValueEvidence, mark_foreign, value_evidence


def of(evidence: ValueEvidence, column: list[str], value: str, name: str) -> float:
    return float(evidence.features[sorted(set(column)).index(value), NAMES.index(name)])


def test_each_kind_of_trouble_has_its_evidence() -> None:
    """A word and a mark among numbers, a far number, an empty cell."""
    cells = [str(100 + n) for n in range(60)] + ["x1", "N/A", "90000", ""]
    found = value_evidence(encode(pl.Series(cells)))
    assert of(found, cells, "x1", "not_number") > 1
    assert of(found, cells, "N/A", "marker") == 1
    assert of(found, cells, "90000", "outlier") > 3
    assert of(found, cells, "", "empty") == 1
    assert of(found, cells, "130", "not_number") == of(found, cells, "130", "outlier") == 0


def test_how_a_number_is_written_is_no_evidence() -> None:
    """A short one among long ones, a whole one among decimals, one below zero; far out is evidence still."""
    cells = [f"{number / 500:.5f}" for number in range(1, 500)] + ["0.5", "1", "-0.5", "80.00001"]
    for measured in (False, True):
        found = value_evidence(encode(pl.Series(cells), measured=measured))
        for text in ("0.5", "1", "-0.5"):
            spoken = {NAMES[at] for at in found.features[sorted(set(cells)).index(text)].nonzero()[0]}
            assert spoken <= {"rare_value", "free_text", "outlier"}
        assert of(found, cells, "80.00001", "outlier") > 2


def test_digits_of_another_length_are_evidence_among_codes() -> None:
    """A postal code that lost its zero, between others of five digits."""
    cells = [str(10000 + 37 * number) for number in range(200)] + ["1067"]
    assert of(value_evidence(encode(pl.Series(cells))), cells, "1067", "rare_length") > 1


def test_an_empty_cell_has_no_shape() -> None:
    """Nothing but its emptiness speaks of it."""
    cells = ["abc"] * 50 + [""]
    found = value_evidence(encode(pl.Series(cells))).features[0]
    assert {NAMES[at] for at in found.nonzero()[0]} == {"empty", "few_empty"}


def test_blanks_that_half_of_the_column_has_are_its_way_of_writing() -> None:
    """Blanks behind one value of fifty are not."""
    one = ["abc"] * 49 + ["abc "]
    assert of(value_evidence(encode(pl.Series(one))), one, "abc ", "padded") > 0.9
    many = ["abc"] * 25 + ["abc "] * 25
    assert of(value_evidence(encode(pl.Series(many))), many, "abc ", "padded") == 0


def test_a_value_of_another_column_is_foreign() -> None:
    """Usual there, once here; numbers belong anywhere."""
    here, there = ["red", "blue"] * 30 + ["TX", "7"], ["TX", "7"] * 31
    columns = [encode(pl.Series("colour", here)), encode(pl.Series("state", there))]
    evidence = [value_evidence(column) for column in columns]
    mark_foreign(columns, evidence)
    assert of(evidence[0], here, "TX", "foreign") > 1
    assert of(evidence[0], here, "7", "foreign") == 0
