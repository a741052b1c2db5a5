"""How unusual a trait is in its column."""

import numpy as np

from heptad.data.cleaning.suggesting.rarity import rarity, surprise


def test_the_rarer_trait_surprises_more() -> None:
    """One cell in a hundred is rare, fifty of a hundred are not."""
    found = rarity(np.array([0, 1]), np.array([99, 1]))
    assert found[0] == 0
    assert found[1] > 1.5


def test_nothing_is_rare_where_everything_is_different() -> None:
    """A hundred traits of one cell each are as usual as each other."""
    assert (rarity(np.arange(100), np.ones(100, dtype=np.int64)) == 0).all()


def test_equal_commonness_surprises_equally() -> None:
    """Ties do not depend on their order."""
    found = surprise(np.array([5.0, 1.0, 1.0]), np.array([98, 1, 1]))
    assert found[1] == found[2] > found[0]
