"""What a group of rows agrees on."""

from collections import Counter, defaultdict

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import CleanRule
from heptad.data.cleaning.groups import fit_votes
from heptad.data.columns.dialogues import converse

CELLS = st.none() | st.sampled_from("ab")


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30))
def test_votes_are_those_of_a_count_by_hand(rows: list) -> None:
    """One value has more rows than any other, and enough of them; groups that disagree without one are counted."""
    frame = pl.DataFrame(rows, schema={"g": pl.String, "h": pl.String, "c": pl.String}, orient="row")
    ((votes, unsure),) = converse(frame.lazy(), [fit_votes("c", CleanRule(told_by=["g", "h"], least=0.6))])
    groups: dict = defaultdict(Counter)
    for g, h, c in rows:
        if g and h and c:
            groups[f"{g}\x1f{h}"][c] += 1
    expected, open_ = {}, 0
    for group, counted in groups.items():
        value, most = counted.most_common(1)[0]
        if list(counted.values()).count(most) == 1 and most >= 0.6 * counted.total():
            expected[group] = value
        else:
            open_ += 1
    assert (votes, unsure) == (expected, open_)
