"""What is put together from translations."""

from typing import Any

import pytest

from heptad.data.expectations.importing.translation import (
    Gathering,
    NoTwinError,
    column_name,
    pattern_of,
    plain_values,
    range_of,
    type_of,
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("int64", "integer"),
        ("Int32", "integer"),
        ("uint8", "integer"),
        ("BIGINT", "integer"),
        ("IntegerType", "integer"),
        ("Float32", "number"),
        ("NUMERIC(10, 2)", "number"),
        ("double", "number"),
        ("bool", "boolean"),
        ("datetime64[ns, UTC]", "datetime"),
        ("TIMESTAMP", "datetime"),
        ("string[python]", "text"),
        ("object", "text"),
        ("pl.Utf8", None),
    ],
)
def test_types_of_other_programs(name: str, kind: str | None) -> None:
    """Widths and parameters do not matter."""
    if kind is None:
        with pytest.raises(NoTwinError, match="has no twin"):
            type_of(name)
    else:
        assert type_of(name) == kind


def test_names_that_are_none_of_python_are_quoted() -> None:
    """Quotes and backslashes in them too."""
    assert column_name("a1") == "a1"
    assert column_name("class") == 'col("class")'
    assert column_name('a "b" \\') == 'col("a \\"b\\" \\\\")'


def test_values_and_limits_must_be_such() -> None:
    """Missing ones are left out of sets."""
    assert plain_values(["a", None, 1]) == ["a", 1]
    assert range_of(1, None) == {"min": 1}
    for wrong in ("abc", [None], [[1]], 5):
        with pytest.raises(NoTwinError):
            plain_values(wrong)
    for low, high in ((None, None), ("a", 1), (True, None)):
        with pytest.raises(NoTwinError):
            range_of(low, high)


def test_what_is_held_alike_shares_a_table() -> None:
    """Until something would be said twice."""
    gathering = Gathering()
    for settings in ({"min": 0}, {"max": 1, "mostly": 1}, {"max": 2}, {"above": 1, "mostly": 0.5}, {"min": 0}):
        gathering.take("one", [("c", settings)])
    gathering.take("of the table", [("", {"check": "a > 1", "severity": "warning"})])
    done = gathering.done()
    assert [(one.min, one.max, one.above, one.mostly) for one in done.columns["c"]] == [
        (0, 1, None, 1),
        (None, 2, None, 1),
        (None, None, 1, 0.5),
    ]
    assert (done.translated, done.left_out) == (6, [])
    assert done.toml().endswith('[[expect.table]]\ncheck = "a > 1"\nseverity = "warning"\n')


@pytest.mark.parametrize(
    ("column", "settings", "why"),
    [
        ("c", {"min": 0, "mostly": "0.5"}, "Expected `float`, got `str` - at `$.mostly`"),
        ("c", {"min": 0, "mostly": 1.5}, "Expected `float` <= 1.0 - at `$.mostly`"),
        ("c", {"mean": {"min": 0}, "mostly": 0.5}, "mostly says nothing of mean"),
        ("c", {"length": {"min": 5, "max": 1}}, "length goes from 5 to 1"),
        ("c", {"quantiles": {"0.5": {"min": 5, "max": 1}}}, "quantiles goes from 5 to 1"),
        ("c", {"matches": ""}, "it expects nothing"),
        ("c", {"min": 0, "where": "a & b"}, "its condition cannot be said: where = 'a & b'"),
        ("", {"check": "a +"}, "its condition cannot be said: check = 'a +'"),
        ("", {"unique": 5}, "Expected `array`, got `int`"),
        (5, {"min": 0}, "its column is 5, which is no name"),
    ],
)
def test_what_would_stop_every_collection_is_left_out(column: str, settings: dict[str, Any], why: str) -> None:
    """With why, and with nothing of what stands beside it in the same expectation; the others are kept."""
    gathering = Gathering()
    gathering.take("before", [("c", {"max": 1})])
    gathering.take("it", [("c", {"above": 0}), (column, settings)])
    done = gathering.done()
    assert done.translated == 1
    assert [(one.above, one.max) for one in done.columns["c"]] == [(None, 1)]
    (left,) = done.left_out
    assert left.name == "it"
    assert why in left.why


def test_a_part_that_is_not_held_is_named() -> None:
    """The rest is translated."""
    gathering = Gathering()
    gathering.take("it", [("c", {"above": 0}), "the other half is not"])
    done = gathering.done()
    assert (done.translated, done.columns["c"][0].above) == (1, 0)
    assert "# not translated: a part of it: the other half is not" in done.toml()


def test_patterns_are_those_that_columns_can_be_held_to() -> None:
    """Others are of Python only."""
    assert pattern_of("^[a-z]+$") == "^[a-z]+$"
    for wrong in ("(?<=a)b", "(", "\\Z"):
        with pytest.raises(NoTwinError, match="no regular expression here"):
            pattern_of(wrong)
