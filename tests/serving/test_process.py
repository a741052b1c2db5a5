"""The process that serves what is deployed."""

from typing import Any

from heptad.serving import ServerProcess


def test_it_names_its_process_and_its_workers(shop: Any) -> None:
    """The server first, then each worker that answers; nothing once it has stopped."""
    shop.publish(shop.route(1))
    with ServerProcess(shop.options()) as server:
        assert server.pids[0] == server.pid
        assert len(server.pids) == 2
    assert server.pids == []
