"""Who answers an id."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.serving.records import Route, RouteRole
from heptad.serving.routing import Routing, position_of


def route(label: str, role: RouteRole = "live", share: float = 1.0) -> Route:
    return Route(version=f"id-{label}", label=label, package="p", role=role, share=share)


def test_positions_are_the_same_on_every_machine() -> None:
    """The place of an id on the line never changes: a canary keeps its callers over restarts and machines."""
    assert position_of("2013-4-1-UA1545-EWR") == pytest.approx(0.91599926, abs=1e-8)


@given(st.text())
def test_every_id_has_one_answering_route(identity: str) -> None:
    """Whatever the id, one route answers it, always the same, and never a shadow."""
    routing = Routing([route("a", share=0.7), route("b", "canary", 0.3), route("c", "shadow")])
    assert routing.answers(identity) in routing.answering
    assert routing.answers(identity) == routing.answers(identity)
    assert 0 <= position_of(identity) < 1


def test_shares_of_ids_are_the_shares_of_routes() -> None:
    """Of many ids, each version answers its share."""
    routing = Routing([route("a", share=0.9), route("b", "canary", 0.1)])
    counts = Counter(routing.answers(f"flight-{number}").label for number in range(20_000))
    assert counts["b"] / 20_000 == pytest.approx(0.1, abs=0.01)


def test_a_growing_canary_keeps_the_ids_it_had() -> None:
    """When a canary grows from a tenth to a half, ids that it answered stay with it."""
    small = Routing([route("b", "canary", 0.1), route("a", share=0.9)])
    large = Routing([route("b", "canary", 0.5), route("a", share=0.5)])
    ids = [f"flight-{number}" for number in range(2000)]
    assert all(large.answers(one).label == "b" for one in ids if small.answers(one).label == "b")


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([], "0 versions would be live"),
        ([route("a", "shadow")], "0 versions would be live"),
        ([route("a", share=0.5), route("b", share=0.5)], "2 versions would be live: a, b"),
        ([route("a", share=0.9)], "add up to 0.9"),
        ([route("a", share=1.2), route("b", "canary", -0.2)], "add up to 1"),
        ([route("a"), route("b", "shadow"), route("b", "shadow")], "b would be shadow twice"),
    ],
)
def test_routes_that_do_not_fit_together_are_refused(routes: list[Route], said: str) -> None:
    """Exactly one version is live, shares make up one whole, no version shadows twice."""
    with pytest.raises(InputError, match=said):
        Routing(routes)
