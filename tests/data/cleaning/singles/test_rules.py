"""The rules that a model takes along."""

from tests.data.cleaning.singles.conftest import version_of

from heptad.data import CleanRule, Fitted, request_rules
from heptad.data.cleaning.settings import RowRule

TYPES = {"size": "number", "city": "category", "zip": "category", "n": "integer", "m": "number"}


def test_a_version_without_rules_for_the_inputs_has_none() -> None:
    """Then a server does nothing more than before."""
    assert request_rules(version_of(TYPES), ["n"]) is None
    assert request_rules(version_of(TYPES, {"m": CleanRule(min=0)}), ["n"]) is None
    target = {"none": RowRule(where="target is None")}
    assert request_rules(version_of(TYPES, rows=target), ["n"]) is None


def test_rules_bring_what_they_look_at() -> None:
    """Other columns with their own rules, and what was learnt of those; nothing of the rest."""
    columns = {
        "city": CleanRule(told_by=["zip"]),
        "zip": CleanRule(trim=True, fill_from="size"),
        "m": CleanRule(max=1, outliers="iqr"),
        "n": CleanRule(outliers="iqr"),
    }
    fitted = Fitted(bounds={"m": [(0.0, 1.0)], "n": [(0.0, 2.0)]}, votes={"city": {"1": "Bonn"}})
    rules = request_rules(version_of(TYPES, columns, {"odd": RowRule(where="n > 5")}, fitted), ["city"])
    assert rules is not None
    assert (sorted(rules.columns), sorted(rules.types)) == (["city", "n", "zip"], ["city", "n", "size", "zip"])
    assert (rules.fitted.votes, rules.fitted.bounds) == ({"city": {"1": "Bonn"}}, {"n": [(0.0, 2.0)]})
