"""Durations and shares are read strictly."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.core.settings import Count, Duration, ExecuteSettings, ProjectSettings, Share, duration, size

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90d", timedelta(days=90)),
        ("6h", timedelta(hours=6)),
        ("1h30m", timedelta(minutes=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("1.5h", timedelta(minutes=90)),
        ("2w", timedelta(days=14)),
        ("0s", timedelta()),
    ],
)
def test_durations_are_numbers_with_units(text: str, expected: timedelta) -> None:
    """A number and a unit, or several of them one after the other."""
    assert duration(text) == expected


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS))), min_size=1, max_size=4))
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    """Whatever the order of the units, a duration is the sum of its parts; settings accept what `duration` reads."""
    text = "".join(f"{number}{unit}" for number, unit in parts)
    seconds = sum(number * UNITS[unit] for number, unit in parts)
    assert duration(text).total_seconds() == pytest.approx(seconds)
    assert msgspec.convert(text, Duration) == text


@pytest.mark.parametrize("text", ["", "5", "h", "5 h", "5y", "-5d", "5d ago", "1.h", "1..5h", "5D", "\u0665d", "5d\n"])
def test_anything_else_is_refused(text: str) -> None:
    """What is no duration says so, here and in a setting."""
    with pytest.raises(InputError, match="is not a duration"):
        duration(text)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Duration)


def test_an_endless_duration_is_refused() -> None:
    """A number beyond what time can hold is an error of the input."""
    with pytest.raises(InputError, match="too long"):
        duration("9" * 30 + "w")


@pytest.mark.parametrize(("kind", "good", "bad"), [(Share, [0, 0.5, 1], [-0.1, 1.1]), (Count, [0, 5], [-1])])
def test_numbers_stay_in_their_range(kind: object, good: list[float], bad: list[float]) -> None:
    """A share is between 0 and 1, a count is not negative."""
    for value in good:
        assert msgspec.convert(value, kind) == value  # type: ignore[call-overload]
    for value in bad:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, kind)  # type: ignore[call-overload]


def test_sections_know_their_fields() -> None:
    """A section refuses a setting that it does not have, and is whole without any."""
    assert ExecuteSettings().executor in {"inline", "threads", "processes"}
    with pytest.raises(msgspec.ValidationError, match="sead"):
        msgspec.convert({"sead": 3}, ProjectSettings)


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2GB", 2 * 10**9), ("1.5GiB", 3 * 2**29), ("500MB", 500 * 10**6), ("1TiB", 2**40)]
)
def test_amounts_of_memory_are_a_number_and_a_unit(text: str, bytes_: int) -> None:
    """Decimal and binary units, as a setting takes them too."""
    assert size(text) == bytes_
    assert msgspec.convert({"memory": text}, ExecuteSettings).memory == text


@pytest.mark.parametrize("text", ["2", "GB", "2 GB", "2gb", "-1GB", "2GB\n", "2KB"])
def test_other_amounts_are_refused(text: str) -> None:
    """What is no amount of memory says so, here and in a setting."""
    with pytest.raises(InputError, match="is not an amount of memory"):
        size(text)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"memory": text}, ExecuteSettings)
