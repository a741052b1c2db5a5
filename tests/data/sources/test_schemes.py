"""An address says by its beginning what it is of."""

import pytest

from heptad.data import is_stream


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("kafka://host/topic", True),
        ("mqtt://me:${PASSWORD}@host/plant/#", True),
        ("nats://host/orders.>", True),
        ("orders.csv", False),
        ("C:/orders.csv", False),
        ("https://host/orders.csv", False),
        ("postgresql://host/db", False),
    ],
)
def test_streams_are_told_by_their_scheme(uri: str, expected: bool) -> None:
    """Without asking anybody."""
    assert is_stream(uri) is expected
