"""Coverage: whether the groups of a population are there in the shares that it has, and no others."""

from collections.abc import Mapping

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
"""Groups of which fewer rows are expected are counted as one, below which the test does not hold (Cochran, 1954)."""
_SHOWN = 5
_KINDS: tuple[Kind, ...] = ("text", "boolean", "number")


def _coverage(subject: Subject, wanted: Coverage) -> Test:
    """Judged by Pearson's chi-square test, and by its effect: the share of rows that would have to be in other groups.

    The effect is the total variation distance of the two distributions, half the sum of the absolute differences of
    their shares. A large table shows differences that are real and do not matter, and a small one such as come by
    chance; so both have to speak against it.
    """
    stated = wanted.shares
    total = sum(stated.values())
    if not 0 < total <= 1 + 1e-6:
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
    left = max(0.0, 1 - sum(wanted.shares.values()))
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


def chance(seen: list[int], expected: list[float]) -> float:
    """How likely counts as far from the expected ones are in a sample of the population, 0 to 1.

    Pearson's chi-square test of goodness of fit; groups with few expected rows are taken together, and where only one
    group is left it says nothing (1). Rows where none can be are impossible (0).

    Source: Pearson (1900), "On the criterion that a given system of deviations..."; Cochran (1954), "Some methods for
    strengthening the common chi-square tests".
    """
    from scipy.special import chdtrc  # noqa: PLC0415 - only who states a population needs it

    pairs = list(zip(seen, expected, strict=True))
    if any(one and not wanted for one, wanted in pairs):
        return 0.0
    cells = [pair for pair in pairs if pair[1] >= ENOUGH]
    few = [pair for pair in pairs if 0 < pair[1] < ENOUGH]
    if few:
        cells.append((sum(one for one, _ in few), sum(wanted for _, wanted in few)))
    if len(cells) < 2:
        return 1.0
    return float(chdtrc(len(cells) - 1, sum((one - wanted) ** 2 / wanted for one, wanted in cells)))


DEFINITIONS = [Definition("coverage", "coverage", _coverage, _KINDS, by_row=False)]
