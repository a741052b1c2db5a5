"""Encodings use other entities only, and what was known by then only."""

from datetime import datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.data.features.conftest import MOMENT, at

from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.encodings import Encodings
from heptad.data.features.functions import KNOWN, hashed
from heptad.data.features.views import View

ROWS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 20),
        st.sampled_from(["x", "y", None]),
        st.sampled_from([True, False, None]),
        st.integers(0, 10) | st.none(),
    ),
    max_size=30,
)
FOLDS, SMOOTHING = 3, 2.0


def frame_of(rows: list) -> pl.DataFrame:
    moments: list[tuple[int, datetime, str | None, bool | None, datetime | None]] = [
        (entity, at(hour), kind, outcome, None if late is None else at(hour + late))
        for entity, hour, kind, outcome, late in rows
    ]
    schema = {"g": pl.Int64, "t": MOMENT, "kind": pl.String, "y": pl.Boolean, "seen": MOMENT}
    return pl.DataFrame(moments, schema=schema, orient="row")


def encoded(rows: list, made: MadeSettings) -> pl.DataFrame:
    view = View("v", FeatureSettings(source="s", on=["g"], make={"x": made}), time="t")
    prepared = view.prepared(frame_of(rows).lazy())
    return Encodings(view, prepared).applied(prepared.collect())


@given(ROWS)
def test_a_target_mean_agrees_with_its_definition(rows: list) -> None:
    """Outcomes of entities in other folds that were known by then, drawn to the mean over all categories."""
    made = MadeSettings(call="target_mean", of="kind", target="y", known="seen", folds=FOLDS, smoothing=SMOOTHING)
    found = encoded(rows, made)["x"].to_list()
    folds = hashed(pl.Series([str(row[0]) for row in rows], dtype=pl.String), FOLDS).to_list()
    for place, (_, hour, kind, _, _) in enumerate(rows):
        others = [
            (other, float(outcome))
            for (_, when, other, outcome, late), fold in zip(rows, folds, strict=True)
            if outcome is not None and late is not None and fold != folds[place] and when + late <= hour
        ]
        if not others:
            assert found[place] is None
            continue
        mean = sum(outcome for _, outcome in others) / len(others)
        own = [outcome for other, outcome in others if other == kind and kind is not None]
        assert abs(found[place] - (sum(own) + SMOOTHING * mean) / (len(own) + SMOOTHING)) < 1e-12


@given(ROWS, st.integers(0, 20))
def test_what_comes_later_changes_nothing(rows: list, cut: int) -> None:
    """A value as of a moment is what it was when nobody knew the rest."""
    for made in (
        MadeSettings(call="target_mean", of="kind", target="y", folds=FOLDS, smoothing=0.0),
        MadeSettings(call="frequency", of="kind"),
    ):
        whole = encoded(rows, made).filter(pl.col(KNOWN) <= at(cut))
        before = encoded([row for row in rows if row[1] <= cut], made)
        assert whole.equals(before)


def test_a_frequency_is_a_share_of_what_was_known() -> None:
    """Rows of one moment count for each other; a missing category has none."""
    rows = [(1, 0, "x", None, None), (2, 1, "y", None, None), (3, 1, "x", None, None), (4, 2, None, None, None)]
    assert encoded(rows, MadeSettings(call="frequency", of="kind"))["x"].to_list() == [1.0, 1 / 3, 2 / 3, 0.0]
