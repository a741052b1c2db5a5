"""Points of a series, in whatever portions they come and are asked for."""

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core.records import Change, new_id
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import points, record


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    portions=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=8),
    start=st.integers(0, 60),
    length=st.integers(0, 60),
    thinned=st.integers(0, 12),
)
def test_a_series_is_one_whatever_its_portions(
    store: SqlStore, portions: list[tuple[int, int]], start: int, length: int, thinned: int
) -> None:
    """Portions may overlap by any number of points; any part can be read, thinned or not."""
    run = new_id("run")
    store.write(Change(records=[record(run)]))
    end = 0
    for overlap, count in portions:
        first = max(0, end - overlap)
        store.append([points(first, count, run=run)])
        end = max(end, first + count)
    assert store.read(run, "loss") == points(0, end, run=run)
    wanted = range(min(start, end), min(start + length, end))
    found = store.read(run, "loss", start, start + length, thinned)
    if not thinned or len(wanted) <= thinned:
        assert list(found.steps) == [10 * n for n in wanted]
    else:
        assert len(found.steps) == len(set(found.steps)) == thinned
        assert found.steps[-1] == 10 * wanted[-1]
        assert thinned == 1 or found.steps[0] == 10 * wanted[0]
        assert set(found.steps) <= {10 * n for n in wanted}


def test_series_of_one_change_are_written_together(store: SqlStore) -> None:
    """Several keys and records in one call; what comes twice in it counts once."""
    store.write(Change(records=[record("r1"), record("r2")]))
    store.append([points(0, 3), points(3, 3), points(2, 2), points(0, 1, run="r2"), points(0, 2, key="b")])
    assert store.read("r1", "loss") == points(0, 6)
    assert store.read("r2", "loss") == points(0, 1, run="r2")
    assert store.read("r1", "b") == points(0, 2, key="b")


def test_whoever_sends_the_same_points_at_once_adds_them_once(store: SqlStore) -> None:
    """Several that repeat a series in their own portions leave one series, and nobody is refused."""
    store.write(Change(records=[record("r1")]))
    together = threading.Barrier(6)

    def send(number: int) -> None:
        for first in range(0, 60, number + 1):
            together.wait(30) if first == 0 else None
            store.append([points(first, min(number + 1, 60 - first))])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(send, range(6)))
    assert store.read("r1", "loss") == points(0, 60)
