"""A rule by which groups vote changes about the cells that it is suggested for."""

import polars as pl

from heptad.data.cleaning.suggesting.rules import SuggestedRule
from heptad.data.cleaning.suggesting.voting import bounded


def rule(cells: int, **settings: object) -> SuggestedRule:
    return SuggestedRule("city", "told", "they agree", cells, 0.9, 0.9, (("Bon", "Bonn"),), dict(settings))


def table(*groups: tuple[str, str, int]) -> pl.DataFrame:
    rows = [(by, value) for by, value, count in groups for _ in range(count)]
    return pl.DataFrame(rows, schema=["zip", "city"], orient="row")


def test_slips_are_put_right_by_most_of_their_group() -> None:
    """Nothing else is in the groups, so the usual share will do; empty cells have no vote and are filled."""
    frame = table(("1", "Bonn", 40), ("1", "Bon", 1), ("2", "Köln", 30), ("2", "", 1))
    assert bounded(frame, rule(2, told_by=["zip"])).settings == {"told_by": ["zip"]}


def test_a_group_that_is_of_two_minds_keeps_both() -> None:
    """Of another, a single slip was flagged: so many have to agree that only that one changes."""
    frame = table(("1", "Bonn", 70), ("1", "Beuel", 30), ("2", "Köln", 99), ("2", "Koln", 1))
    assert bounded(frame, rule(1, told_by=["zip"])).settings == {"told_by": ["zip"], "least": 0.8}


def test_what_would_change_much_else_is_no_rule() -> None:
    """A tenth says something else by right, and one of those was flagged: the evidence stays, without settings."""
    frame = table(("1", "Cash", 900), ("1", "Credit Card", 99), ("1", "Unknown", 1))
    told = bounded(frame, rule(1, told_by=["zip"]))
    assert (told.settings, told.cells, told.evidence) == ({}, 1, "they agree")


def test_other_rules_stay_as_they_are() -> None:
    """They name the values that they change."""
    other = rule(3, replace={"Bon": "Bonn"})
    assert bounded(table(("1", "Bonn", 1)), other) == other
