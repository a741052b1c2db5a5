"""A table whose groups are not those of the population is told from one that differs by chance, or by little."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare
from tests.data.expectations.conftest import one_of

from heptad.core.errors import SettingsError
from heptad.data import Finding
from heptad.data.expectations.coverage import chance, chance_at_most

AIRPORTS = {"EWR": 0.36, "JFK": 0.33, "LGA": 0.31}


def found(
    values: list | pl.Series, tolerance: float = 0.05, shares: dict[str, float] = AIRPORTS, **how: object
) -> Finding:
    return one_of(pl.DataFrame({"x": values}), coverage={"shares": shares, "tolerance": tolerance}, **how)


def times(**counts: int) -> list[str]:
    return [name for name, count in counts.items() for _ in range(count)]


def test_a_one_sided_table_is_found_though_every_cell_is_valid() -> None:
    """The groups are named with what they are and should be, and the effect is a share of rows."""
    one = found(times(EWR=36, JFK=933, LGA=31))
    assert not one.passed
    assert one.observed == pytest.approx(0.603)
    assert one.sentence.startswith(
        "x: groups are not covered as the population has them: JFK 93.3% (stated 33.0%), EWR 3.6% (stated 36.0%), "
        "LGA 3.1% (stated 31.0%); 60.3% of 1,000 rows would have to be in other groups, and at most 5.0% may"
    )


def test_what_chance_explains_breaks_nothing() -> None:
    """Ten rows of a population are often far from it."""
    assert found(times(EWR=6, JFK=3, LGA=1)).passed
    assert not found(times(EWR=600, JFK=300, LGA=100)).passed


def test_a_difference_that_does_not_matter_breaks_nothing() -> None:
    """A million rows show one of two in a hundred beyond all doubt."""
    values = times(EWR=380_000, JFK=310_000, LGA=310_000)
    assert found(values).passed
    assert not found(values, tolerance=0.01).passed


def test_groups_that_are_not_stated_are_named() -> None:
    """Where the shares add up to 1 there should be none; where they lack something, others may have that."""
    values = times(EWR=300, JFK=300, LGA=300, BOS=90, SFO=10)
    assert "not stated: BOS 9.0%, SFO 1.0%" in found(values).sentence
    assert found(values, shares={"EWR": 0.3, "JFK": 0.3, "LGA": 0.3}).passed


def test_missing_groups_and_values() -> None:
    """A missing value is in no group; a table without values covers nothing."""
    assert found([*times(EWR=36, JFK=33, LGA=31), *[None] * 500]).passed
    assert (
        found(pl.Series([], dtype=pl.String), shares={"a": 1.0}).sentence
        == "x: there is no value, and groups are expected"
    )


def test_numbers_and_booleans_have_groups() -> None:
    """Named as they are written; whole numbers that are kept as floats without their point."""
    assert found([1.0, 2.0] * 50, shares={"1": 0.5, "2": 0.5}).passed
    assert not found([True] * 100, shares={"true": 0.5, "false": 0.5}).passed
    assert found([1, 2] * 50, shares={"1": 0.5, "2": 0.5}).passed


def test_it_may_be_asked_of_some_rows() -> None:
    """`where` says which."""
    frame = pl.DataFrame({"x": times(a=100, b=50), "z": [1] * 50 + [0] * 50 + [1] * 50})
    wanted = {"shares": {"a": 0.5, "b": 0.5}}
    assert not one_of(frame, coverage=wanted).passed
    assert one_of(frame, coverage=wanted, where="z == 1").passed


def test_shares_that_are_more_than_all_are_refused() -> None:
    """They are no population."""
    with pytest.raises(SettingsError, match=r"shares that add up to 1\.2"):
        found(["a"], shares={"a": 0.6, "b": 0.6})


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(5, 200)), min_size=2, max_size=8))
def test_the_chance_is_that_of_the_chi_square_test(cells: list[tuple[int, int]]) -> None:
    """As SciPy has it, where enough rows are expected of every group."""
    total = sum(one for one, _ in cells)
    weight = sum(other for _, other in cells)
    expected = [other / weight * total for _, other in cells]
    if min(expected) >= 5:
        wanted = chisquare([one for one, _ in cells], expected).pvalue
        assert math.isclose(chance([one for one, _ in cells], expected), wanted, abs_tol=1e-12)


SHARES = {
    "few": np.array([0.5, 0.3, 0.15, 0.05]),
    "many alike": np.full(50, 0.02),
    "long tail": 1 / np.arange(1, 201) / (1 / np.arange(1, 201)).sum(),
    "dust": np.array([0.5, 0.499, *[1e-5] * 100]),
}


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("size", [5, 60, 1000])
def test_samples_of_the_population_are_hardly_ever_refused(shares: np.ndarray, size: int) -> None:
    """Of two thousand about two by chance, however little is tolerated and however few there are."""
    drawn = np.random.default_rng(7).multinomial(size, shares, size=2000)
    refused = sum(chance(one.tolist(), (shares * size).tolist()) < 0.001 for one in drawn)
    assert refused <= 8


@pytest.mark.parametrize(
    ("groups", "rows"),
    [(50, 240), (50, 249), (50, 250), (50, 4), (100, 499), (1000, 4900), (1000, 3), (40_000, 20_000)],
)
def test_rows_that_are_all_of_one_of_many_groups_are_found(groups: int, rows: int) -> None:
    """Also where few rows are expected of every group, so that the chi-square test says nothing."""
    shares = {f"s{place}": 1 / groups for place in range(groups)}
    one = found(["s0"] * rows, shares=shares)
    assert (one.passed, one.observed) == (False, pytest.approx(1 - 1 / groups))


def test_one_sided_rest_beside_a_large_group_is_found() -> None:
    """Groups of which few rows are expected are not taken together, in which one could stand for all."""
    shares = {"DE": 0.5, **{f"s{place}": 0.005 for place in range(100)}}
    rest = [f"s{place}" for place in range(100)]
    assert not found(["DE"] * 450 + ["s0"] * 450, shares=shares).passed
    assert found(["DE"] * 100 + rest, shares=shares).passed


def test_a_group_that_is_too_large_is_found_beside_rare_ones() -> None:
    """Rows in groups of which hardly any is expected make no noise that hides it, nor are they hidden themselves."""
    shares = {"a": 0.5, "b": 0.499, **{f"s{place}": 1e-6 for place in range(1000)}}
    assert not found(["a"] * 600 + ["b"] * 400, shares=shares).passed
    assert not found(["a"] * 400 + ["b"] * 400 + [f"s{place}" for place in range(100)], shares=shares).passed


def test_shares_that_add_up_to_one_but_for_rounding_leave_nothing() -> None:
    """Or what is left by rounding would be a group of which no row is expected."""
    thirds = {"a": 0.3333333, "b": 0.3333333, "c": 0.3333333}
    assert found(["a", "b", "c"] * 20 + ["d"], shares=thirds).passed
    assert not found(["a", "b", "c"] * 20 + ["d"], shares=thirds, tolerance=0.01).passed


@pytest.mark.parametrize("rows", [1, 2, 7, 30])
def test_the_bound_holds(rows: int) -> None:
    """No count is answered for by it that comes oftener: by all counts of two groups, whose chances are known."""
    for share in (0.02, 0.3, 0.5):
        expected = np.array([share * rows, (1 - share) * rows])
        distances = np.array([abs(one - share * rows) for one in range(rows + 1)])
        likely = binom.pmf(np.arange(rows + 1), rows, share)
        for one in range(rows + 1):
            exact = likely[distances >= distances[one] - 1e-9].sum()
            assert chance_at_most(np.array([one, rows - one]), expected) >= exact - 1e-12


def test_it_is_answered_alike_every_time() -> None:
    """Samples are drawn by a fixed seed."""
    counts, expected = [7, 0, 0, 2, 0], [1.8] * 5
    assert len({chance(counts, expected) for _ in range(3)}) == 1
