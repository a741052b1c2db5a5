"""Summaries that can be put together are right within what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.profiles.sketches import (
    POINTS,
    REGISTERS,
    distinct_at_least,
    distinct_in,
    is_full,
    merged_points,
    merged_registers,
    points_of,
    quantile_in,
    registers_of,
)

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=300)


def hashes_of(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


@given(HASHES, HASHES)
def test_registers_of_parts_are_those_of_the_whole(first: list[int], second: list[int]) -> None:
    """Exactly, whatever the parts share."""
    whole = registers_of(hashes_of(first + second))
    assert merged_registers(registers_of(hashes_of(first)), registers_of(hashes_of(second))) == whole
    assert merged_registers(whole, whole) == whole
    assert len(whole) == REGISTERS
    assert merged_registers(whole, "") == ""


@pytest.mark.parametrize("count", [0, 1, 10, 200, 1_000, 3_000, 20_000, 1_000_000])
def test_different_values_are_counted_within_the_error(count: int) -> None:
    """Three standard errors of 3.3%, or a single value where there are few."""
    hashes = np.random.default_rng(count).integers(0, 2**64, count, dtype=np.uint64)
    found = distinct_in(registers_of(np.concatenate([hashes, hashes[: count // 2]])))
    assert abs(found - count) <= max(1, 0.1 * count)


def test_the_smallest_hashes_are_enough_for_full_registers() -> None:
    """Registers look at nothing else."""
    hashes = np.random.default_rng(1).integers(0, 2**64, 200_000, dtype=np.uint64)
    some = registers_of(hashes[hashes < np.uint64(2**62)])
    assert is_full(some)
    assert some == registers_of(hashes)
    assert not is_full(registers_of(hashes[:100]))
    assert registers_of(hashes_of([0]))[0] == chr(48 + 54)


PARTS = st.lists(
    st.tuples(st.sampled_from(["normal", "steps", "one"]), st.integers(20, 2_000), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@given(PARTS)
def test_quantiles_of_parts_are_those_of_the_whole(parts: list[tuple[str, int, int]]) -> None:
    """Within two of a hundred rows, and one more for each merge; a value that many rows share is found."""
    samples = []
    for shape, size, seed in parts:
        rng = np.random.default_rng(seed)
        made = {"normal": rng.normal(seed, 3, size), "steps": rng.integers(0, 5, size) * 2.0, "one": np.full(size, 7.0)}
        samples.append(np.sort(made[shape]))
    points, weight = points_of(samples[0]), float(len(samples[0]))
    for sample in samples[1:]:
        points = merged_points(points, weight, points_of(sample), float(len(sample)))
        weight += len(sample)
    whole = np.sort(np.concatenate(samples))
    # A point between two values of few says nothing of either, so each sample's own step counts too.
    allowed = 0.02 + 0.01 * (len(parts) - 1) + 1 / min(map(len, samples))
    assert len(points) == POINTS
    for share in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0):
        found = points[round(share * (POINTS - 1))]
        below, up_to = (np.searchsorted(whole, found, side) / len(whole) for side in ("left", "right"))
        wanted = round(share * (POINTS - 1)) / (POINTS - 1)
        assert below - allowed <= wanted <= up_to + allowed, (share, found)


def test_quantiles_of_nothing_and_of_one() -> None:
    """Nothing, and that one."""
    assert points_of(np.array([])) == []
    one = points_of(np.array([5.0]))
    assert (quantile_in(one, 0.0), quantile_in(one, 0.3)) == (5.0, 5.0)
    assert merged_points([], 0, one, 1) == merged_points(one, 1, [], 0) == one
    assert merged_points([], 3, one, 1) == []


def test_how_much_a_column_repeats_is_told_by_a_sample() -> None:
    """A few values, many, and none twice."""
    rng = np.random.default_rng(0)
    assert distinct_at_least(rng.integers(0, 30, 4_000)) == pytest.approx(30)
    assert 50_000 < distinct_at_least(rng.integers(0, 100_000, 4_000)) < 200_000
    assert distinct_at_least(rng.normal(size=4_000)) > 1_000_000
    assert distinct_at_least(np.array([])) == 0
