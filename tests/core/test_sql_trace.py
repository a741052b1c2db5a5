"""Lineage in any graph is what a walk by hand finds."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.records import Change, Id, Link, new_id
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record

edges = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("xy"), st.integers(0, 9)), max_size=30)


def walked(links: list[Link], start: Id, roles: str, *, forward: bool) -> dict[Link, int]:
    """Each link that can be reached, and how many steps away it is."""
    distance = {start: 0}
    found: dict[Link, int] = {}
    for steps in range(len(links) + 1):
        for link in links:
            near, far = (link.source, link.target) if forward else (link.target, link.source)
            if distance.get(near) == steps and (not roles or link.role in roles):
                found.setdefault(link, steps)
                distance.setdefault(far, steps + 1)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges=edges, start=st.integers(0, 9), roles=st.sampled_from(["", "x", "xy"]), forward=st.booleans())
def test_every_link_on_the_way_is_met_once_and_the_nearest_first(
    store: SqlStore, edges: list[tuple[int, str, int]], start: int, roles: str, forward: bool
) -> None:
    """Circles, diamonds and links to itself included."""
    name = new_id("g")
    links = [Link(f"{name}{source}", role, f"{name}{target}") for source, role, target in edges]
    store.write(Change(records=[record(f"{name}{number}") for number in range(10)], links=links))
    found = store.trace([f"{name}{start}"], "ancestors" if forward else "descendants", roles)
    expected = walked(links, f"{name}{start}", roles, forward=forward)
    assert len(found) == len(set(found))
    assert set(found) == set(expected)
    assert [expected[link] for link in found] == sorted(expected.values())


def test_a_long_chain_is_one_question(store: SqlStore) -> None:
    """A thousand steps deep."""
    links = [Link(f"c{n}", "from", f"c{n - 1}") for n in range(1, 1000)]
    store.write(Change(records=[record(f"c{n}") for n in range(1000)], links=links))
    assert store.trace(["c999"], "ancestors") == list(reversed(links))
    assert store.trace(["c0", "c500"], "out") == [Link("c500", "from", "c499")]
