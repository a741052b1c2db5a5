"""Values become shares of their range and back."""

from hypothesis import given
from hypothesis import strategies as st

from heptad.experiments import Branches, Choice, Float, Int
from heptad.experiments.searching.scaling import numbers_of, scaled, unscaled


@given(low=st.integers(1, 50), width=st.integers(1, 50), log=st.booleans(), share=st.floats(0, 1))
def test_every_share_is_a_value_of_the_range_and_whole_numbers_come_back(
    low: int, width: int, log: bool, share: float
) -> None:
    """Whatever the share, the value lies in the range; of a whole number, the share gives it back."""
    for dimension in (Int(low, low + width, log), Float(low, low + width, log)):
        assert dimension.holds(unscaled(dimension, share))
    for number in range(low, low + width + 1):
        assert unscaled(Int(low, low + width, log), scaled(Int(low, low + width, log), number)) == number


def test_numbers_are_those_outside_of_branches_that_can_vary() -> None:
    """Choices, branches and ranges of one value are left to others; a space in Python has none known before."""
    space = {"x": Float(0, 1), "k": Choice(("a",)), "one": Int(3, 3), "b": Branches("b", {"p": {"y": Float(0, 1)}})}
    assert numbers_of(space).names == ["x"]
    assert len(numbers_of(lambda suggest: suggest.float("x", 0, 1))) == 0
