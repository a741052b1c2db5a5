"""How many clients a worker accepts; the servers' own tests start, stop and kill real workers."""

from heptad.serving.workers import MOST_CONNECTIONS, OWN_DESCRIPTORS, connections


def test_a_worker_accepts_no_more_connections_than_it_has_descriptors_for() -> None:
    """Some are left for packages and the journal; several workers share what one would take; a few are always taken."""
    assert connections(1, 100_000) == MOST_CONNECTIONS
    assert connections(4, 100_000) == MOST_CONNECTIONS // 4
    assert connections(1, 200) == 200 - OWN_DESCRIPTORS
    assert connections(1, 10) == 8
