"""Pieces end where the content says so."""

import random
from io import BytesIO

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.folders.chunks import PartCutter, cut
from heptad.data.folders.sizes import LISTINGS, PARTS, PIECES, Sizes

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


@given(st.binary(max_size=3_000), st.integers(0, 1 << 32), st.integers(1, 700))
def test_a_stream_is_cut_like_the_whole(start: bytes, seed: int, most: int) -> None:
    """In whatever portions it is read, the smallest too."""
    chance = random.Random(seed)
    data = start + chance.randbytes(chance.randrange(3_000))
    source = BytesIO(data)
    cutter = PartCutter(lambda: source.read(chance.randint(1, most)), TINY)
    assert [b"".join(one) for one in iter(cutter.next, [])] == cut(data, TINY)


@given(st.binary(min_size=1, max_size=3_000), st.integers(0, 1 << 32))
def test_the_rest_of_a_part_comes_back(data: bytes, seed: int) -> None:
    """The next part begins where only the first bytes of one were kept."""
    chance = random.Random(seed)
    source = BytesIO(data)
    cutter = PartCutter(lambda: source.read(chance.randint(1, 400)), TINY)
    at = 0
    while part := cutter.next():
        assert b"".join(part) == cut(data[at:], TINY)[0]
        size = chance.randint(1, sum(map(len, part)))
        assert b"".join(cutter.keep(part, size)) == data[at : at + size]
        at += size
    assert at == len(data)


def test_a_long_stream_is_cut_like_the_whole() -> None:
    """Into parts of eight to nine megabytes."""
    data = np.random.default_rng(3).bytes((19 << 20) + 17)
    source = BytesIO(data)
    found = [b"".join(one) for one in iter(PartCutter(lambda: source.read(4 << 20)).next, [])]
    assert found == cut(data, PARTS)
    assert len(found) == 3


def test_pieces_stay_where_they_are_from_release_to_release() -> None:
    """Other pieces would store every file once more: these numbers may not change."""
    assert [len(one) for one in cut(BYTES, PIECES)][:4] == [143239, 198411, 145018, 281989]
    assert [len(one) for one in cut(BYTES[:60_000], LISTINGS)][:4] == [9792, 25747, 12774, 6063]


def test_bytes_without_content_are_cut_too() -> None:
    """Zeros, and a pattern that never says where to cut, come in pieces of the largest size."""
    for data in (bytes(3 << 20), b"ab" * (3 << 19)):
        assert {len(one) for one in cut(data, PIECES)} == {PIECES.largest}
