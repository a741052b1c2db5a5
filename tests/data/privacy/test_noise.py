"""A figure with noise is plain data."""

import msgspec

from heptad.data.privacy.noise import Noisy


def test_a_figure_reads_back() -> None:
    """Also one whose noise is not known."""
    figure = Noisy(value=1.5, epsilon=0.1)
    assert msgspec.json.decode(msgspec.json.encode(figure), type=Noisy) == figure
