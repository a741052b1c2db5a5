"""The sum of records: that of the standard, however long the data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.crc32c import crc32c as reference

from heptad.experiments.event_files.crc32c import crc32c, masked


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_the_sum_is_that_of_the_standard(data, expected):
    """The examples of RFC 3720, B.4."""
    assert crc32c(data) == expected


@given(st.binary(min_size=1, max_size=64), st.integers(0, 700))
def test_long_data_sums_like_short_data(piece, times):
    """The lanes give what another library gives byte by byte."""
    data = piece * times
    assert crc32c(data) == reference(data)


def test_a_masked_sum_is_another_one():
    """As the format asks: turned by 15 bits, and moved."""
    assert masked(b"123456789") == (((0xE3069283 >> 15) | (0xE3069283 << 17)) + 0xA282EAD8) & 0xFFFFFFFF
