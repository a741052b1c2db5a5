"""Cuts bytes where their content says so, so that an edit leaves the pieces around it as they were."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from heptad.data.folders.sizes import FILES, Sizes

Bytes: TypeAlias = npt.NDArray[np.uint8]

WINDOW = 16
"""Bytes that decide whether there is a cut behind them."""
_BASE, _CUT = 0x9E35, 0x5A5B
"""The base of the polynomial, which is odd, and what its last bits are where a piece ends."""
_SLICE = 32 << 10
"""Bytes looked at together: what is computed of them stays in the processor's cache."""


class Cutter:
    """Finds the ends of pieces, by a polynomial over a window that slides over the bytes (Rabin's way, 16 bits wide).

    No position before `smallest` is looked at, so two thirds of a file cost nothing, and the powers of the base are
    put together by doubling, so numpy looks at a slice with ten operations: 2 to 4 GB/s on one core. Two files that
    are equal from some place on have equal pieces a few cuts behind it. See Xia et al., FastCDC, USENIX ATC 2016.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self._mask = np.uint16((1 << sizes.bits) - 1)
        self._cut = np.uint16(_CUT & int(self._mask))
        self._room = np.empty((3, _SLICE + WINDOW), np.uint16)
        self._found = np.empty(_SLICE + WINDOW, np.bool_)

    def ends(self, data: Bytes, *, whole: bool) -> Iterator[int]:
        """Where pieces of `data` end; unless it is the `whole` rest, a last one that could still grow is left out."""
        start, size = 0, len(data)
        while size - start > self.sizes.smallest:
            stop = min(start + self.sizes.largest, size)
            end = self._first(data, start + self.sizes.smallest, stop)
            if end < 0 and stop == size and not whole:
                return
            start = end if end >= 0 else stop
            yield start
        if whole and start < size:
            yield size

    def _first(self, data: Bytes, start: int, stop: int) -> int:
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

    >>> [len(piece) for piece in cut(bytes(300_000), FILES)]
    [300000]
    """
    pieces: list[bytes] = []
    start = 0
    for end in Cutter(sizes).ends(np.frombuffer(data, np.uint8), whole=True):
        pieces.append(data[start:end])
        start = end
    return pieces


class StreamCutter:
    """Cuts streams of any length in a buffer that is used again and again."""

    BUFFER = 8 << 20

    def __init__(self, sizes: Sizes = FILES) -> None:
        self._cutter = Cutter(sizes)
        self._buffer = bytearray(self.BUFFER)
        self._array = np.frombuffer(self._buffer, np.uint8)

    def cut(self, read_into: Callable[[memoryview], int]) -> Iterator[tuple[memoryview, list[int]]]:
        """The stream part by part, each with the ends of its pieces; a part holds until the next one is asked for.

        `read_into` fills a part of the buffer and answers how many bytes it read, 0 at the end.
        """
        view = memoryview(self._buffer)
        filled = 0
        whole = False
        while not whole:
            while filled < len(view):
                count = read_into(view[filled:])
                if count == 0:
                    whole = True
                    break
                filled += count
            ends = list(self._cutter.ends(self._array[:filled], whole=whole))
            start = ends[-1] if ends else 0
            if ends:
                yield view[:start], ends
            rest = filled - start
            self._buffer[:rest] = self._buffer[start:filled]
            filled = rest
