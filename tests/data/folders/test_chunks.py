"""Pieces end where the content says so."""

import random
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.folders.chunks import StreamCutter, cut
from heptad.data.folders.sizes import FILES, LISTINGS, Sizes

TINY = Sizes(32, 256, 5)
BYTES = random.Random(7).randbytes(3 << 20)


@given(st.binary(max_size=5_000))
def test_pieces_make_up_the_bytes_and_keep_their_sizes(data: bytes) -> None:
    """Whatever the bytes are; only the last piece may be smaller."""
    pieces = cut(data, TINY)
    assert b"".join(pieces) == data
    assert all(TINY.smallest < len(one) <= TINY.largest for one in pieces[:-1])
    assert all(0 < len(one) <= TINY.largest for one in pieces[-1:])


@given(st.integers(0, 1 << 32), st.integers(0, 20_000), st.binary(min_size=1, max_size=300))
def test_an_edit_changes_the_pieces_around_it(seed: int, at: int, edit: bytes) -> None:
    """Bytes that were put in, at any place, leave most pieces what they were."""
    data = random.Random(seed).randbytes(20_000)
    before, after = cut(data, TINY), cut(data[:at] + edit + data[at:], TINY)
    assert len(set(after) - set(before)) < 40 + len(edit) // TINY.smallest
    assert len(before) > 150


@pytest.mark.parametrize("portion", [1 << 16, 1 << 20, 64 << 20, 100_001])
def test_a_stream_is_cut_like_the_whole(portion: int) -> None:
    """In whatever portions it is read, and over the end of the buffer."""
    data = np.random.default_rng(3).bytes((19 << 20) + 17)
    source = BytesIO(data)

    def read_into(room: memoryview) -> int:
        return source.readinto(room[:portion])

    found = []
    for part, ends in StreamCutter().cut(read_into):
        found += [bytes(part[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    assert found == cut(data, FILES)
    assert 60 < len(found) < 160


def test_pieces_stay_where_they_are_from_release_to_release() -> None:
    """Other pieces would store every file once more: these numbers may not change."""
    assert [len(one) for one in cut(BYTES, FILES)][:4] == [143239, 198411, 145018, 281989]
    assert [len(one) for one in cut(BYTES[:60_000], LISTINGS)][:4] == [9792, 25747, 12774, 6063]


def test_bytes_without_content_are_cut_too() -> None:
    """Zeros, and a pattern that never says where to cut, come in pieces of the largest size."""
    for data in (bytes(3 << 20), b"ab" * (3 << 19)):
        assert {len(one) for one in cut(data, FILES)} == {FILES.largest}
