"""Columns that tell others."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.dependencies import determinants, grouped, strength, vote


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b", "c"])), min_size=1, max_size=25))
def test_votes_are_those_of_the_other_rows(rows: list[tuple[int, str]]) -> None:
    """Counted by hand: the commonest value of the group without the row, and how often its own is there."""
    groups = np.unique([group for group, _ in rows], return_inverse=True)[1]
    column = encode(pl.Series([text for _, text in rows]))
    found = vote(groups, column)
    for row, (_, own) in enumerate(rows):
        others = [rows[other][1] for other in range(len(rows)) if other != row and groups[other] == groups[row]]
        standing = [text for text in others if text]
        assert found.others[row] == len(others)
        if not standing:
            assert found.most[row] == -1
            continue
        most = column.values[int(found.most[row])]
        assert standing.count(most) == max(map(standing.count, standing))
        assert found.share[row] == standing.count(most) / len(others)
        assert found.own[row] == others.count(own) / len(others)


def test_a_column_is_told_by_the_one_that_determines_it() -> None:
    """The code tells the name; a key tells nothing, for nobody shares it."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 20, 400)
    names = [f"name {one}" for one in code]
    names[3] = "wrong"
    columns = [
        encode(pl.Series("key", [str(n) for n in range(400)])),
        encode(pl.Series("code", [f"c{one}" for one in code])),
        encode(pl.Series("name", names)),
        encode(pl.Series("noise", rng.integers(0, 5, 400).astype(str))),
    ]
    (found,) = [one for one in determinants(columns, 2, np.ones(400)) if one.strength > 0.9]
    assert found.columns == (1,)
    assert columns[2].values[int(found.vote.most[3])] == f"name {code[3]}"


def test_two_columns_together_tell_what_neither_does_alone() -> None:
    """The rate goes by state and status."""
    rng = np.random.default_rng(1)
    state, status = rng.integers(0, 6, 600), rng.integers(0, 3, 600)
    rate = np.random.default_rng(2).permutation(18)[state * 3 + status]
    columns = [
        encode(pl.Series(name, values.astype(str))) for name, values in zip("abc", (state, status, rate), strict=True)
    ]
    best = determinants(columns, 2, np.ones(600))[0]
    assert set(best.columns) == {0, 1}
    assert best.accuracy == 1


def test_an_empty_cell_agrees_with_none() -> None:
    """Two rows without a code are not of one group."""
    groups = grouped([encode(pl.Series(["", "", "x", "x"]))])
    assert groups[2] == groups[3]
    assert len({groups[0], groups[1], groups[2]}) == 3


def test_guessing_the_commonest_value_is_no_strength() -> None:
    """A column that always says what most rows have is as good as none."""
    column = encode(pl.Series(["a"] * 8 + ["b"] * 2))
    assert strength(vote(np.zeros(10, dtype=np.int64), column), column)[0] <= 0
