"""What is written as TOML reads back as it was."""

import math
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from heptad.data import toml_key, toml_value

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.booleans(), st.floats(allow_nan=False))


@given(st.dictionaries(TEXTS, st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=4))
def test_whatever_is_written_reads_back(values: dict[str, Any]) -> None:
    """Every text, with quotes, braces and control signs, and every number."""
    lines = "".join(f"{toml_key(name)} = {toml_value(value)}\n" for name, value in values.items())
    assert tomllib.loads(lines) == values
    assert tomllib.loads(f"x = {toml_value(values)}")["x"] == values


def test_numbers_are_written_as_a_person_would() -> None:
    """Without a needless point, and with the names that TOML has for what is no number."""
    assert toml_value([1.0, 0.25, 1e300, math.inf, math.nan]) == "[1, 0.25, 1e300, inf, nan]"


def test_what_is_null_in_a_table_is_left_out() -> None:
    """TOML has no word for it."""
    assert toml_value({"a": None, "b c": {}}) == '{ "b c" = {} }'
