"""Coverage: whether the groups of a population are there in the shares that it has, and no others."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from heptad.data.expectations.definitions import (
    Definition,
    ExpectationError,
    Kind,
    Outcome,
    Subject,
    Test,
    Told,
    before,
)
from heptad.data.expectations.settings import Coverage

CHANCE = 0.001
"""Shares that come about by chance at least this often in a sample of the population break nothing."""
ENOUGH = 5.0
"""Where fewer rows are expected of a group, the chi-square test does not hold (Cochran, 1954)."""
DRAWN = 4_999
"""Samples of the population that are drawn then."""
SEED = 7
_AT_ONCE = 1_000_000
"""Counts that are drawn at once."""
_NOTHING = 1e-6
"""What shares may lack to 1 by rounding, without leaving room for groups that are not named."""
_SHOWN = 5
_KINDS: tuple[Kind, ...] = ("text", "boolean", "number")
Counts: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def _coverage(subject: Subject, wanted: Coverage) -> Test:
    """Judged by how likely it is by chance, and by its effect: the share of rows that would have to be in other groups.

    The effect is the total variation distance of the two distributions, half the sum of the absolute differences of
    their shares. A large table shows differences that are real and do not matter, and a small one such as come by
    chance; so both have to speak against it.
    """
    stated = wanted.shares
    total = sum(stated.values())
    if not 0 < total <= 1 + _NOTHING:
        raise ExpectationError(
            f"{subject.name}.coverage has shares that add up to {total:g}.",
            allowed="shares above 0 up to 1 in all; what is left are groups that are not named",
        )
    group = subject.value.cast(pl.String)
    if subject.type.is_float():
        group = pl.when(subject.value == subject.value.round()).then(subject.value.cast(pl.Int64, strict=False))
        group = pl.coalesce(group.cast(pl.String), subject.value.cast(pl.String))
    counted = group.alias("group")

    def groups(rows: pl.LazyFrame) -> pl.LazyFrame:
        there = rows.select(counted).drop_nulls()
        return there.group_by("group").agg(pl.len().alias("n"))

    is_stated = pl.col("group").is_in(list(stated))

    def judge(told: Told) -> Outcome:
        found = dict(told.tables["stated"].iter_rows())
        others = dict(told.tables["others"].iter_rows())
        rows = told.values["looked_at"]
        return _judged(subject, wanted, {one: found.get(one, 0) for one in stated}, others, rows)

    return Test(
        values={"looked_at": group.count()},
        tables={
            "stated": lambda rows: groups(rows).filter(is_stated),
            "others": lambda rows: _most(groups(rows).filter(~is_stated)),
        },
        judge=judge,
    )


def _most(counted: pl.LazyFrame) -> pl.LazyFrame:
    return counted.sort(["n", "group"], descending=[True, False]).head(_SHOWN)


def _judged(
    subject: Subject, wanted: Coverage, found: Mapping[str, int], others: Mapping[str, int], rows: int
) -> Outcome:
    if not rows:
        return Outcome(sentence=f"{before(subject)}there is no value, and groups are expected")
    lacking = 1 - sum(wanted.shares.values())
    left = lacking if lacking > _NOTHING else 0.0
    expected = [*(share * rows for share in wanted.shares.values()), left * rows]
    seen = [*found.values(), rows - sum(found.values())]
    effect = sum(abs(one - other) for one, other in zip(seen, expected, strict=True)) / rows / 2
    if effect <= wanted.tolerance or chance(seen, expected) >= CHANCE:
        return Outcome(observed=effect)
    gaps = {one: found[one] / rows - share for one, share in wanted.shares.items()}
    largest = sorted(gaps, key=lambda one: -abs(gaps[one]))[:_SHOWN]
    shown = ", ".join(f"{one} {found[one] / rows:.1%} (stated {wanted.shares[one]:.1%})" for one in largest)
    named = ", ".join(f"{one} {count / rows:.1%}" for one, count in others.items())
    said = (
        f"{before(subject)}groups are not covered as the population has them: {shown}"
        f"{f'; not stated: {named}' if named else ''}; {effect:.1%} of {rows:,} rows would have to be in other groups, "
        f"and at most {wanted.tolerance:.1%} may; by chance that comes less than once in {1 / CHANCE:,.0f} samples"
    )
    return Outcome(observed=effect, sentence=said)


def chance(seen: Sequence[int], expected: Sequence[float]) -> float:
    """How likely counts as far from the expected ones are in a sample of the population, 0 to 1.

    Pearson's chi-square test of goodness of fit, where so many rows are expected of every group that it holds
    (Cochran). Elsewhere samples are drawn of the population, always the same ones, and it is counted how many are as
    far: by the share of rows in wrong groups, which sees many small differences, or by Pearson's statistic, which
    sees one group of few; the rarer of the two counts twice, since either is looked at. Where even a bound that holds
    of any population (McDiarmid) leaves less than `CHANCE`, it is answered and nothing drawn. Rows where none can be
    are impossible (0).

    Source: Pearson (1900), "On the criterion that a given system of deviations..."; Cochran (1954), "Some methods for
    strengthening the common chi-square tests"; McDiarmid (1989), "On the method of bounded differences".
    """
    from scipy.special import chdtrc  # noqa: PLC0415 - only who states a population needs it

    pairs = [pair for pair in zip(seen, expected, strict=True) if any(pair)]
    if any(not wanted for _, wanted in pairs):
        return 0.0
    if len(pairs) < 2:
        return 1.0
    counts, wanted = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    if wanted.min() >= ENOUGH:
        return float(chdtrc(len(pairs) - 1, _pearson(counts, wanted)))
    most = chance_at_most(counts, wanted)
    return most if most < CHANCE else _drawn(counts, wanted)


def _distance(counts: Counts, expected: Floats) -> Floats:
    """The share of rows that would have to be in other groups; of several samples (s, groups), one each."""
    return np.asarray(np.abs(counts - expected).sum(axis=-1) / expected.sum() / 2)


def _pearson(counts: Counts, expected: Floats) -> Floats:
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=-1))


def chance_at_most(counts: Counts, expected: Floats) -> float:
    """At most how likely such a distance is: one row moves it by 1/n, so that it keeps close to its mean.

    The mean is exact: of a binomial number of n rows with share p, the mean absolute deviation is 2np(1-p) times the
    probability of floor(np) among n-1 (de Moivre).
    """
    from scipy.special import gammaln, xlog1py, xlogy  # noqa: PLC0415 - only who states a population needs it

    rows = int(counts.sum())
    share = expected / expected.sum()
    middle = np.minimum(np.floor(rows * share), rows - 1)
    rest = rows - 1 - middle
    ways = gammaln(rows) - gammaln(middle + 1) - gammaln(rest + 1)
    likely = np.exp(ways + xlogy(middle, share) + xlog1py(rest, -share))
    beyond = float(_distance(counts, expected)) - float((share * (1 - share) * likely).sum())
    return float(np.exp(-2 * rows * max(0.0, beyond) ** 2))


def _drawn(counts: Counts, expected: Floats) -> float:
    """How likely such counts are by samples of the population; not looked at further once it is no less than chance."""
    rows, generator = int(counts.sum()), np.random.default_rng(SEED)
    limits = [statistic(counts, expected) * (1 - 1e-9) for statistic in (_distance, _pearson)]
    as_far, drawn = np.zeros(2, dtype=np.int64), 0
    while drawn < DRAWN:
        many = min(DRAWN - drawn, max(1, _AT_ONCE // len(expected)), max(100, drawn))
        samples = generator.multinomial(rows, expected / expected.sum(), size=many)
        found = (_distance(samples, expected), _pearson(samples, expected))
        as_far += [int((one >= limit).sum()) for one, limit in zip(found, limits, strict=True)]
        drawn += many
        if 2 * (1 + as_far.min()) / (1 + DRAWN) >= CHANCE:
            break
    return min(1.0, 2 * (1 + int(as_far.min())) / (1 + drawn))


DEFINITIONS = [Definition("coverage", "coverage", _coverage, _KINDS, by_row=False)]
