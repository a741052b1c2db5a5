"""Filters and orders of the registry as conditions."""

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.registry_search import MODEL_ORDERS, VERSION_TEXTS, conditions, orders
from heptad.core.query import All, Compare, Order


def test_a_filter_is_all_of_its_comparisons() -> None:
    """Keys of the protocol become those of attributes."""
    found = conditions("version_number > 3", VERSION_TEXTS, {"version_number": "version"})
    assert found == All([Compare("version", ">", 3.0)])


def test_what_is_asked_for_comes_before_what_breaks_ties() -> None:
    """And a key is not sorted by twice."""
    assert orders(["name DESC"], MODEL_ORDERS, [Order("name"), Order("updated")]) == [
        Order("name", descending=True),
        Order("updated"),
    ]


@pytest.mark.parametrize("text", ["run.x = 'a'", "stage = 'a'", "version_number = 'a'", "name > 'a'", "name IN 'a'"])
def test_an_unknown_key_or_a_wrong_comparison_is_refused(text: str) -> None:
    """With the keys that there are."""
    with pytest.raises(ProtocolError) as caught:
        conditions(text, VERSION_TEXTS, {"version_number": "version"})
    assert caught.value.code == "INVALID_PARAMETER_VALUE"
