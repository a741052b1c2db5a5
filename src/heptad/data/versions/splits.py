"""Which rows are learnt from and judged: by hash of the key or by time, the same on every machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core.errors import DataError
from heptad.data.versions.ranks import BINS, moments, runs

Rows = npt.NDArray[np.int64]
"""Positions of rows in the frame, from 0, ascending."""


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and rows to judge on; no row is in both."""

    train: Rows
    judge: Rows


class Sides(NamedTuple):
    """Conditions on a row: whether it is learnt from, and whether it is judged. No row meets both."""

    learnt: pl.Expr
    judged: pl.Expr
    given: tuple[tuple[str, pl.Expr], ...] = ()
    """Columns that the conditions ask for, each made from those before it."""


def with_given(rows: pl.LazyFrame, given: Iterable[tuple[str, pl.Expr]]) -> pl.LazyFrame:
    """The rows with these columns: each once, however many conditions ask for it."""
    known = rows.collect_schema().names()
    for name, made in dict(given).items():
        if name not in known:
            rows = rows.with_columns(made.alias(name))
    return rows


def unit_hashes(keys: pl.Series, seed: int = 0) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each key, shape (n,): it depends on the key's text and the seed, on nothing else.

    The CRC-32 of the text, then the finaliser of splitmix64, which turns its regularities into noise (Steele,
    Lea and Flood 2014, "Fast splittable pseudorandom number generators"). Two keys share a number with odds
    of 2^-32, which moves them to one side together and does no harm.
    """
    return mixed(pl.Series(sums(keys)), seed)


def sums(keys: pl.Series) -> npt.NDArray[np.uint32]:
    """The CRC-32 of each key's text, shape (n,)."""
    texts = keys.cast(pl.String).fill_null("").cast(pl.Binary).to_list()
    return np.fromiter(map(crc32, texts), dtype=np.uint32, count=len(texts))


def mixed(sums: pl.Series, seed: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each sum, shape (n,)."""
    state = sums.to_numpy().astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
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


def fit_cuts(rows: pl.LazyFrame, shares: Sequence[float]) -> Cuts:
    """Cuts through hashes that give each part its share of each stratum, as exactly as rows can be dealt.

    `rows` have a `hash` in [0, 1) and the name of a `stratum`; they may be larger than memory.

    A hash alone gives every part its share on average; a class of ten rows may still be missing on one side. With
    cuts that are fitted once and kept, a row's part depends on its own hash and stratum and on nothing else, so it
    never changes when rows come or go, and rows that come are dealt in nearly the same shares. Of all cuts that deal
    equally well the one nearest to the plain share is taken. Of two parts neither is left empty while there are two
    hashes; a stratum of one row gets the plain shares. Rows with one hash (those of a group) stay together.
    """
    _check_shares(shares)
    plain = np.cumsum(shares)[:-1]
    hashes = rows.select("stratum", value="hash")
    strata = runs(hashes, (pl.col("value") * BINS).cast(pl.UInt16), lambda count: (plain * count).tolist())
    return {name: [_cut(own, float(share), empty=len(shares) > 2) for share in plain] for name, own in strata}


def _cut(hashes: pl.DataFrame, share: float, *, empty: bool) -> float:
    """The number nearest to `share` below which as nearly that share of the hashes lies as gaps between them allow.

    `hashes` come in runs, which no cut parts; with `empty`, all may lie on one side.
    """
    ends = np.concatenate([[0], hashes["rows"].cum_sum().to_numpy()])
    gaps = np.arange(len(ends)) if empty else np.arange(1, len(ends) - 1)
    if ends[-1] < 2 or not len(gaps):
        return share
    gap = int(gaps[np.argmin(np.abs(ends[gaps] - share * ends[-1]))])
    low = float(np.nextafter(hashes["high"][gap - 1], 1.0)) if gap else 0.0
    high = float(hashes["low"][gap]) if gap < len(hashes) else 1.0
    return min(max(share, low), high)


def part_number(hashed: pl.Expr, stratum: pl.Expr, shares: Sequence[float], cuts: Cuts) -> pl.Expr:
    """The part of a row, from 0; a stratum that the cuts do not know gets the plain shares."""
    _check_shares(shares)
    number = _passed(hashed, np.cumsum(shares)[:-1].tolist())
    for name, own in cuts.items():
        number = pl.when(stratum == name).then(_passed(hashed, own)).otherwise(number)
    return number


def _passed(hashed: pl.Expr, cuts: Sequence[float]) -> pl.Expr:
    return pl.sum_horizontal((hashed >= cut).cast(pl.UInt8) for cut in cuts)


def time_cut(rows: pl.LazyFrame, time: str, share: float) -> datetime:
    """The moment from which about the newest `share` of the rows lies; rows of one moment stay together.

    Rows may be larger than memory. Raises `DataError` where all of them are of one moment.
    """
    _check_share(share)
    found = moments(rows, time, lambda count: [0, min(count - 1, max(1, round(count * (1 - share)))), count - 1])
    if not found or found[0] == found[-1]:
        raise DataError(
            f"The rows cannot be split by {time!r}: they are all of one moment.",
            allowed="at least two different times",
            remedy="leave [data] time out to split by hash",
        )
    first, cut, _ = found
    if cut > first:
        return cut
    later: datetime = rows.filter(pl.col(time) > first).select(pl.col(time).min()).collect(engine="streaming").item()
    return later


def sides_by_time(
    rows: pl.LazyFrame, time: str, folds: int, *, label_time: str = "", gap: timedelta = timedelta()
) -> list[Sides]:
    """Folds that respect time: each judges a later block of rows and learns from everything before it.

    The rows' time span is cut so that the `folds` + 1 blocks hold about as many rows each; block i > 0 is judged
    by a model of the rows whose time lies at least `gap` before its beginning and whose label was known by then. Where
    many rows share a moment there may be fewer folds. Rows without a time are in none.
    """
    _check_folds(folds)
    cuts = sorted(set(moments(rows, time, lambda n: [n * block // (folds + 1) for block in range(1, folds + 1)])))
    moment, found = pl.col(time), []
    for start, end in zip(cuts, [*cuts[1:], None], strict=False):
        judged = moment >= start if end is None else (moment >= start) & (moment < end)
        learnt = moment < start - gap
        found.append(Sides(learnt & (pl.col(label_time) <= start) if label_time else learnt, judged))
    return found


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
