"""How large pieces are; apart from what cuts them, so that whoever only asks loads no numpy."""

import msgspec


class Sizes(msgspec.Struct, frozen=True):
    """A piece has at least `smallest` bytes and at most `largest`; between, each byte ends it with 1 in 2**`bits`."""

    smallest: int
    largest: int
    bits: int


FILES = Sizes(128 << 10, 1 << 20, 16)
"""Pieces of files: 192 KiB on the average. These numbers are part of what is stored: with others, nothing is alike."""
LISTINGS = Sizes(4 << 10, 64 << 10, 13)
"""Pieces of lists of files: small, since an edit changes the lines of a few files."""
