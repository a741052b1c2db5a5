"""The serve folder between one publisher and its workers."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heptad.core.errors import IntegrityError, UnavailableError
from heptad.core.files import write_atomically
from heptad.serving import snapshot
from heptad.serving.snapshot import Worker


def test_what_is_published_is_read_back(shop: Any) -> None:
    """A generation names its routes and keys, and its packages are there."""
    route = shop.route(1)
    shop.publish(route)
    assert shop.folder.generations() == [1]
    assert shop.folder.read(1).routes == [route]
    assert shop.folder.package(route.package) == shop.packages[route.package]


def test_two_generations_and_their_packages_are_kept(shop: Any) -> None:
    """What no worker needs any more is removed."""
    routes = [shop.route(number, shift=float(number)) for number in range(1, 5)]
    for route in routes:
        shop.publish(route)
    assert shop.folder.generations() == [4, 3]
    kept = {path.name for path in (shop.folder.path / "packages").iterdir()}
    assert kept == {routes[2].package, routes[3].package}


def test_publishing_again_heals_a_damaged_package(shop: Any) -> None:
    """The same generation published again writes what is not as it should be."""
    route = shop.route(1)
    shop.publish(route)
    path = shop.folder.path / "packages" / route.package
    path.write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="is damaged"):
        shop.folder.package(route.package)
    shop.generation = 0
    shop.publish(route)
    assert shop.folder.package(route.package) == shop.packages[route.package]


def test_a_missing_package_is_named(shop: Any) -> None:
    """What was removed by hand cannot be read, and the error says which."""
    with pytest.raises(IntegrityError, match="cannot be read"):
        shop.folder.package("0" * 64)


def test_waiting_is_over_when_all_workers_serve_the_generation(shop: Any) -> None:
    """Nobody runs: nothing to wait for. One lags: it takes too long. All serve it: their number."""
    assert shop.folder.wait_live(3, timeout=0) == 0
    first, second = shop.folder.enlist(), shop.folder.enlist()
    assert {worker.generation for worker in shop.folder.workers()} == {0}
    shop.folder.report(first, Worker(pid=1, server=9, generation=3))
    with pytest.raises(UnavailableError, match="do not serve generation 3"):
        shop.folder.wait_live(3, timeout=0.05)
    shop.folder.report(second, Worker(pid=2, server=9, generation=4))
    assert shop.folder.wait_live(3, timeout=0) == 2


def test_waiting_for_a_refused_generation_says_why(shop: Any) -> None:
    """A worker that refused it will never serve it, and that is said at once."""
    name = shop.folder.enlist()
    shop.folder.report(name, Worker(pid=1, server=9, generation=2, refused_generation=3, refused="It is damaged."))
    with pytest.raises(IntegrityError, match="2 stays: It is damaged"):
        shop.folder.wait_live(3, timeout=60)


def test_what_dead_workers_said_is_forgotten(shop: Any) -> None:
    """A worker without its lock is no worker, and its files go."""
    folder = shop.folder.path / "workers"
    folder.mkdir(parents=True)
    (folder / "1-dead.lock").touch()
    (folder / "1-dead.json").write_bytes(b'{"pid":1,"server":2,"generation":3}')
    assert shop.folder.workers() == []
    assert list(folder.iterdir()) == []


def test_a_package_that_is_about_to_be_named_is_not_forgotten(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one process publishes a generation, another one that looks after an earlier one spares its package."""
    shop.publish(shop.route(1))
    earlier = shop.folder.read(1)
    route = shop.route(2, shift=1.0)
    published = msgspec.structs.replace(earlier, generation=2, routes=[route])
    (shop.folder.path / "packages" / earlier.routes[0].package).unlink()
    other = threading.Thread(target=shop.folder.publish, args=(earlier, shop.packages.__getitem__))

    def write(path: Path, data: bytes) -> None:
        if path.parent.name == "generations":  # the package is there, and nothing names it yet
            monkeypatch.undo()
            other.start()
            other.join(0.3)
        write_atomically(path, data)

    monkeypatch.setattr(snapshot, "write_atomically", write)
    shop.folder.publish(published, shop.packages.__getitem__)
    other.join()
    assert shop.folder.package(route.package) == shop.packages[route.package]


def test_publishing_what_is_there_writes_nothing(shop: Any) -> None:
    """Looking after a published generation, as every turn of the loop does, touches no file."""
    shop.publish(shop.route(1))
    before = {path: path.stat().st_mtime_ns for path in shop.folder.path.rglob("*")}
    shop.folder.publish(shop.folder.read(1), shop.packages.__getitem__)
    assert {path: path.stat().st_mtime_ns for path in shop.folder.path.rglob("*")} == before


def test_no_worker_is_lost_sight_of_while_it_comes(shop: Any) -> None:
    """Somebody who counts the workers while they enlist removes only what dead ones left behind."""
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            shop.folder.workers()

    thread = threading.Thread(target=count)
    thread.start()
    try:
        names = [shop.folder.enlist() for _ in range(100)]
    finally:
        stop.set()
        thread.join()
    assert len(shop.folder.workers()) == len(names)
