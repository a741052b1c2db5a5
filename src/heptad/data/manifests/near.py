"""Finds near duplicates among many: candidates share a part of their hash, and are then compared whole."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from heptad.data.manifests.texts import HASHES, numbers_of

BANDS = 32
"""Parts of a sketch; two texts of which 0.8 is shared have one in common with a probability of 1 - 4e-8."""
MOST = 200
"""Candidates in one part that are compared: what more share, such as empty forms, is common to all of them."""


def near_images(hashes: Sequence[int | None], bits: int) -> list[int | None]:
    """For each hash of 64 bits the place of the first one before it that differs in at most so many bits.

    Of `bits` + 1 parts of two such hashes at least one is equal, so all of them are found.
    """
    edges = [64 * part // (bits + 1) for part in range(bits + 2)]

    def parts(value: int) -> Iterator[Hashable]:
        plain = value & (2**64 - 1)
        for start, end in pairwise(edges):
            yield start, plain >> start & ((1 << (end - start)) - 1)

    first: dict[int, int] = {}
    for place, value in enumerate(hashes):
        if value is not None:
            first.setdefault(value, place)
    found: dict[int, int | None] = {}
    buckets: defaultdict[Hashable, list[int]] = defaultdict(list)
    for value in first:
        near = [first[other] for part in parts(value) for other in buckets[part] if _differs(value, other) <= bits]
        found[value] = min(near, default=None)
        for part in parts(value):
            buckets[part].append(value)
    return [
        None if value is None else (first[value] if first[value] != place else found[value])
        for place, value in enumerate(hashes)
    ]


def _differs(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


def near_texts(sketches: Sequence[bytes], alike: float) -> list[int | None]:
    """For each sketch the place of the first one before it that agrees in at least this share of its numbers."""
    buckets: defaultdict[Hashable, list[int]] = defaultdict(list)
    found: list[int | None] = []
    width = HASHES // BANDS
    for place, sketched in enumerate(sketches):
        numbers = numbers_of(sketched)
        parts = [(band, numbers[band * width : (band + 1) * width].tobytes()) for band in range(BANDS) if sketched]
        candidates = sorted(set(_all(buckets[part] for part in parts)))
        near = (one for one in candidates if np.mean(numbers_of(sketches[one]) == numbers) >= alike)
        found.append(next(near, None))
        for part in parts:
            if len(buckets[part]) < MOST:
                buckets[part].append(place)
    return found


def _all(lists: Iterable[list[int]]) -> Iterator[int]:
    for one in lists:
        yield from one
