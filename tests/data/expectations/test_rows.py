"""Expectations of whole rows: functions of the project, missing values, columns that do not go together."""

from pathlib import Path

import polars as pl
import pytest
from tests.data.expectations.conftest import context_of, one_of_table

from heptad.core.errors import HeptadError, SettingsError

FRAME = pl.DataFrame({"a": [1, 2, None], "b": [2, 1, 1], "s": ["x", "y", "z"]})


def own(tmp_path: Path, body: str) -> str:
    (tmp_path / "own.py").write_text(f"import polars as pl\n\n\ndef check{body}\n")
    return "own:check"


def test_a_function_is_given_the_columns_that_its_parameters_name(tmp_path: Path) -> None:
    """As expressions, and answers one."""
    address = own(tmp_path, "(b, a):\n    return (b > a).fill_null(True)")
    found = one_of_table(FRAME, context_of(FRAME, root=tmp_path), function=address)
    assert (found.failing_rows, found.looked_at) == (1, 3)
    assert found.sentence == "1 row that own:check does not hold for"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("(zz):\n    return zz > 1", "own:check has a parameter 'zz', and there is no such column"),
        ("(a):\n    return 1 / 0", "own:check failed: ZeroDivisionError"),
        ("(a):\n    return True", "own:check answered a bool"),
        ("(a):\n    return a + 1", "own:check is Int64 and no truth"),
        ("(a):\n    return a.sum() > 1", "is one value and not one for each row"),
        ("(s):\n    return s > 1", "own:check does not fit the columns"),
    ],
)
def test_functions_that_do_not_fit_are_mistakes(body: str, why: str, tmp_path: Path) -> None:
    """Each is told with what would fit."""
    with pytest.raises(SettingsError, match=why):
        one_of_table(FRAME, context_of(FRAME, root=tmp_path), function=own(tmp_path, body))


def test_a_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the setting that names it."""
    with pytest.raises(HeptadError, match=r"\[\[expect.table\]\] function = 'gone:check'"):
        one_of_table(FRAME, context_of(FRAME, root=tmp_path), function="gone:check")


def test_combinations_must_be_as_wide_as_their_columns() -> None:
    """And hold values of these columns."""
    with pytest.raises(SettingsError, match=r"combinations has \[1\] for a, s"):
        one_of_table(FRAME, combinations={"of": ["a", "s"], "allowed": [[1]]})
    with pytest.raises(SettingsError, match="combinations of a has 'q'"):
        one_of_table(FRAME, combinations={"of": ["a", "s"], "allowed": [["q", "x"]]})


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_correlation_with_a_number_that_is_not_finite_lies_in_no_range(wrong: float) -> None:
    """As a mean of such numbers does; where its partner is missing, the row says nothing."""
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0, wrong], "b": [2.0, 1.0, 2.0, 3.0]})
    found = one_of_table(frame, correlation={"of": ["a", "b"], "min": -1})
    assert (found.passed, found.sentence) == (False, "the correlation of a and b is nan, not at least -1")
    alone = frame.with_columns(b=pl.Series([1.0, 2.0, 3.0, None]))
    assert one_of_table(alone, correlation={"of": ["a", "b"], "min": 0.9}).passed


def test_correlation_is_of_two_columns_of_numbers() -> None:
    """A column that never changes has none, which breaks nothing."""
    assert not one_of_table(FRAME, correlation={"of": ["a", "b"], "min": 0}).passed
    still = pl.DataFrame({"a": [1, 1], "b": [1, 2]})
    assert one_of_table(still, correlation={"of": ["a", "b"], "min": 0.5}).passed
    with pytest.raises(SettingsError, match="two columns of numbers"):
        one_of_table(FRAME, correlation={"of": ["a", "s"], "min": 0})


def test_one_column_is_no_pair() -> None:
    """Nor is none."""
    with pytest.raises(SettingsError, match="at least 2 columns"):
        one_of_table(FRAME, equal=["a"])
