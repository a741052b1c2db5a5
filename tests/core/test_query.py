"""The search tree in Python."""

from heptad.core.query import All, Compare, Query, equals


def test_equals_asks_for_every_attribute() -> None:
    """One comparison each; nothing given asks for nothing."""
    assert equals(depth=3, name="a") == All((Compare("depth", "=", 3), Compare("name", "=", "a")))
    assert equals() == All()


def test_a_query_asks_for_all_of_a_kind() -> None:
    """Unless it is told more."""
    query = Query(kind="run")
    assert (query.scopes, query.where, query.order, query.attributes) == (None, All(), (), None)
