"""Which rows are learnt from and which judged: by hash of the key or by time, the same on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core.errors import DataError

Rows = npt.NDArray[np.int64]
"""Positions of rows in the frame, from 0, ascending."""


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and rows to judge on; no row is in both."""

    train: Rows
    judge: Rows


def unit_hashes(keys: pl.Series, seed: int = 0) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each key, shape (n,): it depends on the key's text and the seed, on nothing else.

    The CRC-32 of the text, then the finaliser of splitmix64, which turns its regularities into noise (Steele,
    Lea and Flood 2014, "Fast splittable pseudorandom number generators"). Two keys share a number with odds
    of 2^-32, which moves them to one side together and does no harm.
    """
    texts = keys.cast(pl.String).fill_null("").to_list()
    sums = np.fromiter((crc32(text.encode()) for text in texts), dtype=np.uint64, count=len(texts))
    state = sums + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def hash_holdout(keys: pl.Series, share: float, seed: int = 0) -> npt.NDArray[np.bool_]:
    """Which rows are held out: those whose hash is below `share`. A row never changes side when data grows."""
    _check_share(share)
    return unit_hashes(keys, seed) < share


Cuts: TypeAlias = dict[str, list[float]]
"""Stratum to the hashes, ascending, at which one part ends and the next begins: one less than there are parts."""


def fit_cuts(hashes: npt.NDArray[np.float64], strata: Sequence[str], shares: Sequence[float]) -> Cuts:
    """Cuts through the hashes `(n,)` that give each part its share of each stratum, as exactly as rows can be dealt.

    A hash alone gives every part its share on average; a class of ten rows may still be missing on one side. With
    cuts that are fitted once and kept, a row's part depends on its own hash and stratum and on nothing else, so it
    never changes when rows come or go, and rows that come are dealt in nearly the same shares. Of all cuts that deal
    equally well the one nearest to the plain share is taken. Of two parts neither is left empty while there are two
    hashes; a stratum of one row gets the plain shares. Rows with one hash (those of a group) stay together.
    """
    _check_shares(shares)
    plain = np.cumsum(shares)[:-1]
    numbers, names = _numbered(strata)
    cuts = {}
    for number, name in enumerate(names):
        own = np.sort(hashes[numbers == number])
        gaps = np.flatnonzero(np.diff(own) > 0) + 1
        inner = gaps if len(shares) == 2 else np.r_[0, gaps, len(own)]
        cuts[name] = [_cut(own, inner, float(share)) for share in plain]
    return cuts


def _cut(hashes: npt.NDArray[np.float64], gaps: npt.NDArray[np.int64], share: float) -> float:
    """The number nearest to `share` below which as nearly that share of the hashes lies as gaps between them allow."""
    if len(hashes) < 2 or not len(gaps):
        return share
    below = int(gaps[np.argmin(np.abs(gaps - share * len(hashes)))])
    low = float(np.nextafter(hashes[below - 1], 1.0)) if below else 0.0
    high = float(hashes[below]) if below < len(hashes) else 1.0
    return min(max(share, low), high)


def part_numbers(
    hashes: npt.NDArray[np.float64], strata: Sequence[str], shares: Sequence[float], cuts: Cuts
) -> npt.NDArray[np.int64]:
    """The part of each row, from 0, shape `(n,)`; a stratum that the cuts do not know gets the plain shares."""
    _check_shares(shares)
    plain: list[float] = np.cumsum(shares)[:-1].tolist()
    numbers, names = _numbered(strata)
    found = np.zeros(len(hashes), dtype=np.int64)
    for number, name in enumerate(names):
        own = numbers == number
        found[own] = np.searchsorted(cuts.get(name, plain), hashes[own], side="right")
    return found


def folds_of_parts(numbers: npt.NDArray[np.int64], parts: int) -> list[Fold]:
    """A fold for each part that judges its rows and learns from all others; every row is judged exactly once."""
    return [Fold(np.flatnonzero(numbers != one), np.flatnonzero(numbers == one)) for one in range(parts)]


def _numbered(strata: Sequence[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    names = sorted(set(strata))
    places = {name: place for place, name in enumerate(names)}
    return np.fromiter((places[one] for one in strata), dtype=np.int64, count=len(strata)), names


def time_cut(times: pl.Series, share: float) -> datetime:
    """The moment from which about the newest `share` of the rows lies; rows of one moment stay together."""
    _check_share(share)
    moments = times.drop_nulls().sort()
    if moments.is_empty() or moments[0] == moments[-1]:
        raise DataError(
            f"The rows cannot be split by {times.name!r}: they are all of one moment.",
            allowed="at least two different times",
            remedy="leave [data] time out to split by hash",
        )
    cut: datetime = moments[min(len(moments) - 1, max(1, round(len(moments) * (1 - share))))]
    if cut > moments[0]:
        return cut
    later: datetime = moments.filter(moments > cut)[0]
    return later


def time_folds(
    times: pl.Series, folds: int, *, label_times: pl.Series | None = None, gap: timedelta = timedelta()
) -> list[Fold]:
    """Folds that respect time: each judges a later block of rows and learns from everything before it.

    The rows' time span is cut so that the `folds` + 1 blocks hold about as many rows each; block i > 0 is judged
    by a model of the rows whose time lies at least `gap` before its beginning and whose label was known by then. Blocks
    without rows to learn from are left out, so there may be fewer folds. Rows without a time are in none.
    """
    _check_folds(folds)
    present = times.drop_nulls().sort()
    if present.is_empty():
        return []
    cuts: list[datetime] = sorted({present[len(present) * block // (folds + 1)] for block in range(1, folds + 1)})
    found = []
    for place, start in enumerate(cuts):
        judged = times >= start
        if place + 1 < len(cuts):
            judged &= times < cuts[place + 1]
        learnt = times < start - gap
        if label_times is not None:
            learnt &= label_times <= start
        fold = Fold(_positions(learnt), _positions(judged))
        if len(fold.train) and len(fold.judge):
            found.append(fold)
    return found


def _positions(mask: pl.Series) -> Rows:
    return np.flatnonzero(mask.fill_null(value=False).to_numpy())


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise DataError(f"A share of {share} of the rows cannot be held out.", allowed="a number between 0 and 1")


def _check_shares(shares: Sequence[float]) -> None:
    if len(shares) < 2 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise DataError(
            f"Rows cannot be parted into shares of {', '.join(f'{one:g}' for one in shares) or 'nothing'}.",
            allowed="two shares or more, each 0 or above, 1 together",
        )


def _check_folds(folds: int) -> None:
    if folds < 2:
        raise DataError(f"{folds} folds are too few.", allowed="2 folds or more")
