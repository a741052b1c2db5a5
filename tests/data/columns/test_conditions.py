"""Conditions are read into expressions, and whatever is not of the language is refused with what is."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.columns.conditions import LONGEST, ConditionError, check_syntax, columns_of, compile_condition

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
FRAME = pl.DataFrame({"a": [1, 5, None], "b": [2.0, 4.0, 1.0], "odd name": ["x", "Yy", None], "t": [NOW, None, NOW]})


def truths(text: str) -> list[bool | None]:
    return FRAME.select(compile_condition(text, FRAME.schema, "check").alias("held"))["held"].to_list()


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a < b", [True, False, None]),
        ("0 < a <= 1", [True, False, None]),
        ("a is None or a > 1", [False, True, True]),
        ("not (a == 1)", [False, True, None]),
        ("a != None and b == 4", [False, True, False]),
        ("a in [1, 2]", [True, False, None]),
        ("a in [1, 2.5]", [True, False, None]),
        ('col("odd name") not in ("x",)', [False, True, None]),
        ("a + 1 == b and a * -2 == -2 and a % 2 == 1 and b / 2 == 1 and b // 2 == 1", [True, False, False]),
        ('lower(col("odd name")) == "yy"', [False, True, None]),
        ('length(col("odd name")) == 1', [True, False, None]),
        ('starts_with(col("odd name"), "Y") or ends_with(col("odd name"), "x")', [True, True, None]),
        ('matches(col("odd name"), "^[a-z]$") and contains(col("odd name"), "x")', [True, False, None]),
        ("abs(a - b) == 1 and max(a, b) > 2", [False, True, False]),
        ('t >= date("2026-01-10") and year(t) == 2026', [True, None, True]),
        ("coalesce(a, 9) == 9", [False, False, True]),
        ("round(b / 3) == 1 or floor(b) == 1 or ceil(b) == 9", [True, True, True]),
    ],
)
def test_what_an_expression_says(text: str, held: list[bool | None]) -> None:
    """Comparisons chain, missing values make a truth unknown where it hangs on them, times are compared in UTC."""
    assert truths(text) == held


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("aa > 1", "there is no column 'aa'"),
        ("a >", "it cannot be read"),
        ("", "it cannot be read"),
        ("a > 'x'", "does not fit the columns"),
        ("a + 1", "no truth"),
        ("1 < 2", "is one value and not one for each row"),
        ("a ** 2 > 1", "'a ** 2' is not part of the language"),
        ("__import__('os').system('true')", "is not part of the language"),
        ("open('x') == 1", "there is no function 'open'"),
        ("a.real > 1", "is not part of the language"),
        ("[x for x in a]", "is not part of the language"),
        ("lambda: a", "is not part of the language"),
        ("f'{a}' == 'x'", "is not part of the language"),
        ("(a := 1) > 0", "is not part of the language"),
        ("a in b", "is no list of values"),
        ("a in []", "is no list of values"),
        ("a in [1, 'x']", "is no list of values of one kind"),
        ("a is b", "cannot be compared so"),
        ("abs(a, b) > 1", "abs was given 2 values"),
        ("max(a) > 1", "max was given 1 values"),
        ("col(a) > 1", "col needs a text in quotes"),
        ('col("zz") > 1', "there is no column 'zz'"),
        ('matches(col("odd name"), "(")', "no regular expression"),
        ('t > date("soon")', "no date or time"),
        ("(" * 300 + "a" + ")" * 300 + " > 1", "cannot be read"),
        ("a > 1 " * LONGEST, "characters"),
        ("a > 1\0", "cannot be read"),
    ],
)
def test_whatever_else_is_refused(text: str, why: str) -> None:
    """With what is allowed; nothing of it is ever run."""
    with pytest.raises(ConditionError, match=why.replace("*", r"\*").replace("(", r"\(")) as error:
        compile_condition(text, FRAME.schema, "check")
    assert error.value.allowed


@given(st.text("ab()<>=+-*/ '\"[],.:not indcol123", max_size=40))
def test_any_text_is_an_expression_or_a_mistake(text: str) -> None:
    """Nothing else comes out of reading it."""
    try:
        made = compile_condition(text, FRAME.schema, "check")
    except ConditionError:
        return
    assert FRAME.select(made.alias("held")).schema["held"] == pl.Boolean()


def test_syntax_is_checked_without_columns() -> None:
    """For expressions that other programs wrote."""
    check_syntax('col("whatever") > 5 and other is not None', "where")
    with pytest.raises(ConditionError, match="not part of the language"):
        check_syntax("a & b", "where")


def test_the_columns_of_a_condition_are_known_without_a_table() -> None:
    """Each once, in the order of the text."""
    assert columns_of('b > 1 and (col("odd name") is None or b < a)') == ["b", "odd name", "a"]
