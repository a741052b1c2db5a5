"""Values become shares of their range and back."""

import random

from hypothesis import given
from hypothesis import strategies as st

from heptad.experiments import Choice, Float, Int
from heptad.experiments.searching.scaling import Numbers, drawn, scaled, unscaled


@given(low=st.integers(1, 50), width=st.integers(1, 50), log=st.booleans(), share=st.floats(0, 1))
def test_every_share_is_a_value_of_the_range_and_whole_numbers_come_back(
    low: int, width: int, log: bool, share: float
) -> None:
    """Whatever the share, the value lies in the range; of a whole number, the share gives it back."""
    for dimension in (Int(low, low + width, log), Float(low, low + width, log)):
        assert dimension.holds(unscaled(dimension, share))
    for number in range(low, low + width + 1):
        assert unscaled(Int(low, low + width, log), scaled(Int(low, low + width, log), number)) == number


def test_what_is_drawn_is_in_its_range_and_covers_it() -> None:
    """Of numbers, choices, and ranges of one value."""
    choice = random.Random(1)
    for dimension in (Int(1, 3), Float(0.1, 10, log=True), Choice(("a", "b", True)), Float(2, 2)):
        found = [drawn(dimension, choice) for _ in range(100)]
        assert all(dimension.holds(one) for one in found)
        assert len(set(found)) >= min(3, len(dimension.points(100)))


def test_numbers_of_a_point_come_back() -> None:
    """In their order, each scaled by its own range."""
    numbers = Numbers({"x": Float(-1, 1), "n": Int(1, 8)})
    assert (len(numbers), numbers.names) == (2, ["x", "n"])
    assert numbers.values(numbers.place({"x": 0.5, "n": 3, "k": "a"})) == {"x": 0.5, "n": 3}
