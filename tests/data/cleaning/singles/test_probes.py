"""Rows that touch every rule."""

from tests.data.cleaning.singles.conftest import singly, version_of

from heptad.data import CleanRule, Fitted, probes, request_rules

USUAL = {"size": 2.0, "city": "Bonn", "n": 3, "zip": "53", "sunny": True}
TYPES = {"size": "number", "city": "category", "n": "integer", "zip": "category", "sunny": "boolean"}
RULES = {
    "size": CleanRule(units={"kg": 1, "g": 0.001}, unit="kg", unread="refuse"),
    "city": CleanRule(missing=["?", 9999999], replace={"Bn": "Bonn"}, told_by=["zip"]),
    "n": CleanRule(min=0, outliers="iqr", outlying="mark"),
    "sunny": CleanRule(fill=False),
}
FITTED = Fitted(votes={"city": {"24": "Kiel"}}, bounds={"n": [(1.0, 9.0)]})


def test_every_rule_finds_something_to_do() -> None:
    """One column after the other, around the numbers and among the texts that its rule names."""
    version = version_of({**TYPES, "n_outlier": "boolean"}, RULES, fitted=FITTED)
    rules = request_rules(version, [*TYPES, "n_outlier"])
    assert rules is not None
    rows = probes(rules, USUAL)
    assert all("n_outlier" not in row for row in rows)
    assert {row["n"] for row in rows} >= {-1, 0, 1, 9, 10, None}
    assert {row["city"] for row in rows} >= {"?", "9999999.0", "Bn", None}
    made = singly(rules, rows)
    assert any(row is None for row, _ in made)
    kept = [row for row, _ in made if row is not None]
    assert {row["n_outlier"] for row in kept} == {True, False}
    assert {row["size"] for row in kept} >= {0.012, 12.0, None}
    assert "Kiel" in {row["city"] for row in kept}
