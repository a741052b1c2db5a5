"""Expectations of texts: formats, and what can be read as something else."""

import polars as pl
import pytest
from tests.data.expectations.conftest import one_of

from heptad.core.errors import SettingsError
from heptad.data.expectations.texts import FORMATS

GOOD = {
    "email": ["a@b.org", "first.last+tag@sub.example.com"],
    "url": ["https://example.org", "postgresql://host:1/x?y#z"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000"],
    "ipv4": ["0.0.0.0", "255.1.20.3"],
    "ipv6": [
        *("::", "::1", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"),
        *("::ffff:1.2.3.4", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5::1.2.3.4"),
    ],
    "date": ["2026-01-31"],
    "datetime": ["2026-01-31T23:59:59Z", "2026-01-31 10:00", "2026-01-31T10:00:00.5+01:00"],
    "slug": ["a", "a-b-2"],
    "hex": ["00fF"],
}
BAD = {
    "email": ["a@b", "@b.org", "a b@c.org", ""],
    "url": ["example.org", "https://", "https:// x"],
    "uuid": ["123e4567e89b12d3a456426614174000"],
    "ipv4": ["256.1.1.1", "1.1.1", "1.1.1.1.1", "01.1.1.1"],
    "ipv6": [
        *("12345::", "1:2:3", "g::", "1::2::3", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7::8:9", "fe80::1%eth0"),
        *("::256.1.1.1", "::1.2.3", "1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5"),
    ],
    "date": ["2026-1-31", "2026-13-01", "2026-01-31T"],
    "datetime": ["2026-01-31", "2026-01-31T24:00"],
    "slug": ["-a", "A", "a--b"],
    "hex": ["0x1", ""],
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_take_what_is_written_so_and_nothing_else(name: str) -> None:
    """Each with examples of both."""
    assert one_of(pl.DataFrame({"x": [*GOOD[name], None]}), format=name).passed
    assert one_of(pl.DataFrame({"x": BAD[name]}), format=name).failing_rows == len(BAD[name])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("integer", ["1", "-20"], ["1.0", "", "x"]),
        ("number", ["1.5", "1e9"], ["1,5", "-"]),
        ("boolean", ["true", "FALSE"], ["yes", ""]),
        ("date", ["2024-02-29"], ["2025-02-29", "x"]),
        ("datetime", ["2024-02-29T10:00:00Z"], ["2025-02-29T10:00:00Z", "2024-02-29"]),
        ("json", ['{"a": [1]}', "null", "1"], ["{a: 1}", "", "[" * 100_000]),
    ],
)
def test_what_can_be_read(name: str, good: list[str], bad: list[str]) -> None:
    """Days that no month has are no dates."""
    assert one_of(pl.DataFrame({"x": [*good, None]}), reads_as=name).passed
    assert one_of(pl.DataFrame({"x": bad}), reads_as=name).failing_rows == len(bad)


def test_categories_are_texts() -> None:
    """And a pattern that polars cannot read is a mistake."""
    frame = pl.DataFrame({"x": ["a1", "b"]}, schema={"x": pl.Categorical})
    assert one_of(frame, matches="[0-9]").failing_rows == 1
    assert one_of(frame, length={"min": 2}).failing_rows == 1
    with pytest.raises(SettingsError, match="no look-around"):
        one_of(frame, matches_none=["(?=x)"])


def test_braces_of_patterns_stand_in_sentences_as_they_are() -> None:
    """No part of a sentence is a template that a pattern could spoil."""
    assert one_of(pl.DataFrame({"x": ["a"]}), matches="[0-9]{2}").sentence == "x: 1 texts without a match of [0-9]{2}"


def test_a_date_format_that_is_none_is_a_mistake() -> None:
    """And months without days are no dates."""
    frame = pl.DataFrame({"x": ["31.01.2026 10:00:00"]})
    assert one_of(frame, date_format="%d.%m.%Y %H:%M:%S").passed
    assert not one_of(frame, date_format="%Y-%m-%d").passed
