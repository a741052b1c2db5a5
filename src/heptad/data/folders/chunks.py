"""Cuts bytes where their content says so, so that an edit leaves the pieces around it as they were."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from heptad.data.folders.sizes import PARTS, Sizes

Bytes: TypeAlias = npt.NDArray[np.uint8]

WINDOW = 16
"""Bytes that decide whether there is a cut behind them."""
_BASE, _CUT = 0x9E35, 0x5A5B
"""The base of the polynomial, which is odd, and what its last bits are where a piece ends."""
_SLICE = 32 << 10
"""Bytes looked at together: what is computed of them stays in the processor's cache."""


class Cutter:
    """Finds the ends of pieces, by a polynomial over a window that slides over the bytes (Rabin's way, 16 bits wide).

    No position before `smallest` is looked at, and the powers of the base are put together by doubling, so numpy looks
    at a slice with ten operations. Two files that are equal from some place on have equal pieces a few cuts behind it.
    See Xia et al., FastCDC, USENIX ATC 2016.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self._mask = np.uint16((1 << sizes.bits) - 1)
        self._cut = np.uint16(_CUT & int(self._mask))
        self._room = np.empty((3, _SLICE + WINDOW), np.uint16)
        self._found = np.empty(_SLICE + WINDOW, np.bool_)

    def ends(self, data: Bytes) -> Iterator[int]:
        """Where the pieces of `data` end."""
        start, size = 0, len(data)
        while size - start > self.sizes.smallest:
            stop = min(start + self.sizes.largest, size)
            end = self.first(data, start + self.sizes.smallest, stop)
            start = end if end >= 0 else stop
            yield start
        if start < size:
            yield size

    def first(self, data: Bytes, start: int, stop: int) -> int:
        """The first place from `start` to before `stop` with a cut behind it, plus one; -1 where there is none."""
        for at in range(start, stop, _SLICE):
            end = min(at + _SLICE, stop)
            values, other, product = (row[: end - at + WINDOW - 1] for row in self._room)
            values[:] = data[at - WINDOW + 1 : end]
            step = 1
            while step < WINDOW:
                # What the sum over `step` bytes is known for, it becomes known for twice as many.
                count = len(values) - step
                np.multiply(values[:count], np.uint16(pow(_BASE, step, 1 << 16)), out=product[:count])
                np.add(product[:count], values[step:], out=other[:count])
                values, other = other[:count], values
                step *= 2
            if self._mask != np.uint16(0xFFFF):
                np.bitwise_and(values, self._mask, out=values)
            found = np.equal(values, self._cut, out=self._found[: len(values)])
            first = int(found.argmax())
            if found[first]:
                return at + first + 1
        return -1


def cut(data: bytes, sizes: Sizes) -> list[bytes]:
    """`data` in pieces.

    >>> [len(piece) for piece in cut(bytes(300_000), Sizes(128 << 10, 1 << 20, 16))]
    [300000]
    """
    pieces: list[bytes] = []
    start = 0
    for end in Cutter(sizes).ends(np.frombuffer(data, np.uint8)):
        pieces.append(data[start:end])
        start = end
    return pieces


class PartCutter:
    """Cuts a stream into parts, each given as the blocks that it lies in: nothing is copied."""

    def __init__(self, read: Callable[[], bytes], sizes: Sizes = PARTS) -> None:
        """`read` answers the next bytes, none at the end."""
        self._read = read
        self._cutter = Cutter(sizes)
        self._waiting: list[memoryview] = []

    def next(self) -> list[memoryview]:
        """The next part; nothing at the end of the stream."""
        part: list[memoryview] = []
        size, before = 0, b""
        while block := self._waiting.pop(0) if self._waiting else memoryview(self._read()):
            end = self._end(block, size, before)
            taken = block[:end] if end else block
            part.append(taken)
            if end:
                self._waiting[:0] = [block[end:]] if end < len(block) else []
                break
            size += len(taken)
            before = (before + bytes(taken[1 - WINDOW :]))[1 - WINDOW :]
        return part

    def keep(self, part: list[memoryview], size: int) -> list[memoryview]:
        """The first bytes of a part; the next part begins behind them."""
        kept: list[memoryview] = []
        for place, block in enumerate(part):
            if size < len(block):
                self._waiting[:0] = [block[size:], *part[place + 1 :]]
                return [*kept, block[:size]]
            kept.append(block)
            size -= len(block)
        return kept

    def _end(self, block: memoryview, size: int, before: bytes) -> int:
        """Where in a block the part ends that has `size` bytes so far, the last of them `before`; 0 if not here."""
        sizes = self._cutter.sizes
        start, stop = max(0, sizes.smallest - size), min(len(block), sizes.largest - size)
        if start < stop:
            # The window of the first place reaches back into what was read before.
            near = (before + bytes(block[max(0, start - WINDOW + 1) : start]))[1 - WINDOW :]
            seen = np.frombuffer(near + bytes(block[start:stop]), np.uint8)
            end = self._cutter.first(seen, len(near), len(seen))
            if end >= 0:
                return end - len(near) + start
        return stop if size + stop == sizes.largest else 0
