"""How large parts and pieces are; apart from what cuts them, so that whoever only asks loads no numpy."""

import msgspec


class Sizes(msgspec.Struct, frozen=True):
    """A piece has at least `smallest` bytes and at most `largest`; between, each byte ends it with 1 in 2**`bits`."""

    smallest: int
    largest: int
    bits: int


# All of these are part of what is stored: with others, nothing is like what was stored before.
PARTS = Sizes(8 << 20, 9 << 20, 16)
"""Parts of files, as they are stored first: what is edited later is looked for in few of them."""
PIECES = Sizes(128 << 10, 1 << 20, 16)
"""What a part that was edited is cut into, beside the one that it was before: 192 KiB on the average."""
LISTINGS = Sizes(4 << 10, 64 << 10, 13)
"""Pieces of lists of files: small, since an edit changes the lines of a few files."""
