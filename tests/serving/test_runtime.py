"""What a worker holds in memory, and how it changes."""

import errno
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from heptad.core.errors import UnavailableError, WorkspaceError
from heptad.serving.runtime import Runtime


def test_nothing_is_served_before_anything_is_deployed(shop: Any) -> None:
    """A worker without a generation lives, and says what to do."""
    runtime = Runtime(shop.folder)
    runtime.refresh()
    with pytest.raises(UnavailableError, match="Nothing is deployed"):
        runtime.snapshot()
    shop.publish(shop.route(1))
    runtime.refresh()
    assert runtime.snapshot().generation == 1


def test_a_request_keeps_the_generation_it_began_with(shop: Any) -> None:
    """A snapshot does not change when the next generation is taken over."""
    runtime = Runtime(shop.folder)
    shop.publish(shop.route(1))
    runtime.refresh()
    before = runtime.snapshot()
    shop.publish(shop.route(2, shift=1.0))
    runtime.refresh()
    assert (before.generation, before.live().label) == (1, "tiny@1")
    assert (runtime.snapshot().generation, runtime.snapshot().live().label) == (2, "tiny@2")


def test_a_version_that_stays_is_not_loaded_again(shop: Any) -> None:
    """The champion's model is the same object when a shadow is put beside it."""
    runtime = Runtime(shop.folder)
    shop.publish(shop.route(1))
    runtime.refresh()
    model = runtime.snapshot().live().model
    shop.publish(shop.route(1), shop.route(2, "shadow", shift=1.0))
    runtime.refresh()
    assert runtime.snapshot().live().model is model
    assert [one.role for one in runtime.snapshot().describe()] == ["live", "shadow"]


@pytest.mark.parametrize("damage", ["package", "trust", "routes"])
def test_a_generation_that_does_not_open_is_refused(shop: Any, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """A corrupted package, an untrusted key, a damaged file: the old generation stays and the reason is told."""
    runtime = Runtime(shop.folder)
    shop.publish(shop.route(1))
    runtime.refresh()
    route = shop.route(2, shift=1.0)
    shop.publish(route, trusted=["00" * 32] if damage == "trust" else None)
    if damage == "package":
        path = shop.folder.path / "packages" / route.package
        path.write_bytes(path.read_bytes()[:-1] + b"X")
    if damage == "routes":
        (shop.folder.path / "generations" / "0000000002.json").write_bytes(b"{")
    with caplog.at_level(logging.ERROR):
        runtime.refresh()
    assert runtime.snapshot().generation == 1
    assert runtime.state.refused_generation == 2
    assert runtime.state.refused in caplog.text
    (worker,) = shop.folder.workers()
    assert (worker.generation, worker.refused_generation) == (1, 2)


def test_a_new_worker_falls_back_to_the_generation_before(shop: Any) -> None:
    """A worker that starts while the newest generation is damaged serves the one before it."""
    shop.publish(shop.route(1))
    route = shop.route(2, shift=1.0)
    shop.publish(route)
    (shop.folder.path / "packages" / route.package).write_bytes(b"damaged")
    runtime = Runtime(shop.folder)
    runtime.refresh()
    assert runtime.snapshot().generation == 1
    assert "damaged" in runtime.state.refused
    shop.publish(shop.route(3, shift=2.0))
    runtime.refresh()
    assert runtime.snapshot().generation == 3
    assert (runtime.state.refused_generation, runtime.state.refused) == (0, "")


def test_a_full_disk_does_not_end_the_watch(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be reported is served all the same, and reported as soon as it can be."""
    runtime = Runtime(shop.folder)
    report, stop = shop.folder.report, threading.Event()
    reported: list[int] = []

    def fail_twice(name: str, worker: Any) -> None:
        reported.append(worker.generation)
        if len(reported) < 3:
            raise WorkspaceError("The disk is full.")
        report(name, worker)
        stop.set()

    monkeypatch.setattr(shop.folder, "report", fail_twice)
    shop.publish(shop.route(1))
    runtime.watch(stop)
    assert reported == [1, 1, 1]
    assert (runtime.snapshot().generation, shop.folder.workers()[0].generation) == (1, 1)


def test_watching_takes_over_what_is_published(shop: Any) -> None:
    """A watching thread serves a new generation shortly after it was published."""
    runtime = Runtime(shop.folder)
    stop = threading.Event()
    thread = threading.Thread(target=runtime.watch, args=(stop,))
    thread.start()
    shop.publish(shop.route(1))
    end = time.monotonic() + 60
    while runtime.state.generation < 1 and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert runtime.snapshot().generation == 1


def test_a_generation_that_cannot_be_read_now_is_tried_again(
    shop: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Too many open files are no reason to refuse a version for good: the next look serves it; it is told once."""
    runtime = Runtime(shop.folder)
    shop.publish(shop.route(1))
    runtime.refresh()
    shop.publish(shop.route(2, shift=1.0))
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.parent.name == "packages":
            raise OSError(errno.EMFILE, "Too many open files")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fail)
    runtime.refresh()
    runtime.refresh()
    assert (runtime.state.generation, runtime.state.refused) == (1, "")
    assert caplog.text.count("Too many open files") == 1
    monkeypatch.undo()
    runtime.refresh()
    assert runtime.state.generation == 2


def test_nothing_ends_the_watch(shop: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A folder that cannot be listed for a while is looked at again; else no deployment would reach this worker."""
    runtime, stop = Runtime(shop.folder), threading.Event()
    generations, looks = shop.folder.generations, iter(range(10))

    def list_them() -> list[int]:
        if next(looks) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        stop.set()
        return generations()

    shop.publish(shop.route(1))
    monkeypatch.setattr(shop.folder, "generations", list_them)
    runtime.watch(stop)
    assert runtime.snapshot().generation == 1
    assert caplog.text.count("Too many open files") == 1


def test_a_key_that_is_trusted_no_more_ends_its_packages(shop: Any) -> None:
    """A version that is in memory already is verified again where the trusted keys have changed."""
    runtime = Runtime(shop.folder)
    route = shop.route(1)
    shop.publish(route)
    runtime.refresh()
    shop.publish(route, trusted=["00" * 32])
    runtime.refresh()
    assert runtime.state.refused_generation == 2
    assert "not trusted" in runtime.state.refused
