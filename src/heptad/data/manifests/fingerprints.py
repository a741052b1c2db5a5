"""What a sound sounds like, in 32 bits for each instant, and which of many sounds sound nearly the same.

J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): each bit says whether the
difference between two neighbouring bands of frequency grew or fell. So it is the same at any volume and sampling rate,
and mostly the same under noise and lossy compression. Unlike there, instants lie 46 ms apart and are compared over
four of them: files are compared from their beginning, and need not be found by a few seconds out of the middle.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float64]
Instants: TypeAlias = npt.NDArray[np.uint32]
SECONDS = 30.0
"""So much of a sound is listened to, from its beginning."""
LEAST_RATE = 6_000
"""Samples a second below which the bands that are compared are not all there."""
_FRAME, _HOP, _LAG = 0.37, 0.0464, 4
"""Seconds of a frame and between two of them, and over how many the bands are compared."""
_LOW, _HIGH, _BANDS = 300.0, 2_000.0, 33
_QUIET = 10**-2.5
"""Instants of less than this share of the loudest one's energy say nothing of the sound, and are 0."""
_DIFFERS = 0.25
"""Share of bits in which two long sounds may differ; others differ in 0.44 and more, lossy copies in 0.14."""
_DOUBT = 1.6
"""How far below a half the share has to stay, times the root of the instants: seven deviations of unlike sounds."""
_PART, _PART_DIFFERS = 16, 1 / 3
"""Instants of a part, and the share of bits in which it may differ: half of a sound and something else are no copy."""
_AT_ONCE = 64
_MOST = 200
"""What more instants share, such as a beep, is common to all of them."""
_FIRST = 4
"""Of instants that are alike each is held against so many, and the one before it."""
_TRIES = 3
"""Shifts in time at which two sounds are compared, those at which most instants agree."""


def fingerprint(samples: Samples, rate: int) -> Instants:
    """Instants `(n,)` of the samples `(m,)` of one channel, `rate` a second; empty for less than half a second."""
    from scipy.signal import resample_poly  # noqa: PLC0415 - only sounds need it

    step = max(1, rate // 5_500)
    heard = resample_poly(samples, 1, step) if step > 1 else samples
    rate_heard = rate / step
    width = round(_FRAME * rate_heard)
    count = int((len(heard) - width) / (_HOP * rate_heard)) + 1
    if len(heard) < width or count <= _LAG:
        return np.empty(0, np.uint32)
    starts = np.rint(np.arange(count) * _HOP * rate_heard).astype(np.int64)
    starts = starts[starts + width <= len(heard)]
    frames = np.lib.stride_tricks.sliding_window_view(heard, width)
    edges = np.rint(np.geomspace(_LOW, _HIGH, _BANDS + 1) * width / rate_heard).astype(np.int64)
    bands = np.concatenate(
        [_energies(frames[starts[at : at + _AT_ONCE]], edges) for at in range(0, len(starts), _AT_ONCE)]
    )
    slopes = bands[:, :-1] - bands[:, 1:]
    grown = slopes[_LAG:] > slopes[:-_LAG]
    bits = np.packbits(grown, axis=1, bitorder="little").view("<u4")[:, 0].astype(np.uint32)
    loud = bands.sum(axis=1)
    is_heard = loud[_LAG:] > _QUIET * loud.max()
    return np.where(is_heard, np.maximum(bits, 1), 0).astype(np.uint32)


def _energies(frames: Samples, edges: npt.NDArray[np.int64]) -> Samples:
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1)) ** 2
    return np.asarray(np.add.reduceat(spectrum[:, : edges[-1]], edges[:-1], axis=1))


def near_sounds(fingerprints: Sequence[bytes], alike: float) -> list[int | None]:
    """For each fingerprint the place of the first one before it that sounds nearly the same; `None` for empty ones.

    `alike`: the share of the longer one's instants that has to be in both. Candidates agree in 24 of 32 bits of two
    instants at the same shift, and are then compared whole; so time grows with the instants and not with the pairs.
    """
    instants = [np.frombuffer(one, "<u4") for one in fingerprints]
    found: list[int | None] = [None] * len(instants)
    for later, earlier, shift in _candidates(instants):
        known = found[later]
        if (known is None or earlier < known) and _is_near(instants[later], instants[earlier], shift, alike):
            found[later] = earlier
    return found


def _candidates(instants: Sequence[Instants]) -> list[tuple[int, int, int]]:
    """Sounds that share instants: the later one, the earlier one, how many instants later it has them."""
    sounds = np.repeat(np.arange(len(instants)), [len(one) for one in instants])
    places = np.concatenate([np.arange(len(one)) for one in instants]) if instants else np.empty(0, np.int64)
    values = np.concatenate(instants) if instants else np.empty(0, np.uint32)
    is_heard = values > 0
    sounds, places, values = sounds[is_heard], places[is_heard], values[is_heard]
    pairs = [_agreeing(part, sounds, places) for part in (values & np.uint32(0xFFFFFF), values >> np.uint32(8))]
    # One number for a pair and its shift, since rows of three are sorted far more slowly.
    width, count = 2 * max(map(len, instants), default=0) + 1, max(1, len(instants))
    later, earlier, shift = np.concatenate(pairs, axis=1)
    counted, votes = np.unique((later * count + earlier) * width + shift + width // 2, return_counts=True)
    counted, votes = counted[votes > 1], votes[votes > 1]
    counted = counted[np.lexsort((-votes, counted // width))]
    _, starts = np.unique(counted // width, return_index=True)
    rank = np.arange(len(counted)) - np.repeat(starts, np.diff(np.append(starts, len(counted))))
    best = counted[rank < _TRIES]
    found = np.stack([best // width // count, best // width % count, best % width - width // 2], axis=1)
    return [(later, earlier, shift) for later, earlier, shift in found.tolist()]


def _agreeing(
    parts: npt.NDArray[np.uint32], sounds: npt.NDArray[np.int64], places: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Pairs `(3, n)` of instants whose parts are equal: later sound, earlier sound, shift."""
    order = np.lexsort((places, sounds, parts))
    parts, sounds, places = parts[order], sounds[order], places[order]
    starts = np.flatnonzero(np.diff(parts, prepend=-1) != 0) if len(parts) else np.empty(0, np.int64)
    sizes = np.diff(np.append(starts, len(parts)))
    first = np.repeat(starts, sizes)
    is_rare = np.repeat(sizes <= _MOST, sizes)
    own = np.arange(len(parts))
    pairs = []
    for other in (*(first + nth for nth in range(_FIRST)), own - 1):
        fits = is_rare & (other >= first) & (other < own)
        fits[fits] = sounds[other[fits]] != sounds[own[fits]]
        later, earlier = own[fits], other[fits]
        pairs.append(np.stack([sounds[later], sounds[earlier], places[later] - places[earlier]]))
    return np.concatenate(pairs, axis=1)


def _is_near(later: Instants, earlier: Instants, shift: int, alike: float) -> bool:
    """Whether two sounds are alike where one is moved by `shift` instants against the other."""
    start, end = max(0, shift), min(len(later), len(earlier) + shift)
    if end - start < alike * max(len(later), len(earlier)):
        return False
    own, other = later[start:end], earlier[start - shift : end - shift]
    either, both = (own > 0) | (other > 0), (own > 0) & (other > 0)
    heard = int(both.sum())
    if heard < alike * either.sum():
        return False
    differs = np.bitwise_count(own[both] ^ other[both]) / 32
    if not heard or differs.mean() > min(_DIFFERS, 0.5 - _DOUBT / np.sqrt(heard)):
        return False
    parts = np.array_split(differs, max(1, heard // _PART))
    return bool(np.mean([part.mean() <= _PART_DIFFERS for part in parts]) >= alike)
