"""One process changes what a stream has landed, and whoever only looks stands in nobody's way."""

import threading
import time
from pathlib import Path

import pytest
from tests.adapters.brokers import PATIENCE

from heptad.core.errors import UnavailableError
from heptad.data.streams.locks import LandsElsewhereError, changing_alone, is_landing, landing_alone


def test_a_living_process_is_seen_to_land(tmp_path: Path) -> None:
    """And nothing is made by asking."""
    assert not is_landing(tmp_path)
    assert not list(tmp_path.iterdir())
    with landing_alone(tmp_path, "the topic", 0.0):
        assert is_landing(tmp_path)
        with pytest.raises(LandsElsewhereError, match="Another process lands the topic") as told:
            changing_alone(tmp_path, "the topic", "let it", PATIENCE).__enter__()
    assert told.value.remedy == "let it"
    assert not is_landing(tmp_path)


def test_to_look_hinders_nobody_from_landing(tmp_path: Path) -> None:
    """However often somebody looks."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_landing(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for one in lookers:
        one.start()
    try:
        for _ in range(300):
            with landing_alone(tmp_path, "the topic", 0.0):
                assert is_landing(tmp_path)
    finally:
        stop.set()
        for one in lookers:
            one.join()


def test_who_has_the_tables_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """That is not taken for somebody who lands; for how long, the caller says."""
    with changing_alone(tmp_path, "the topic", "let it"):
        assert not is_landing(tmp_path)
        with pytest.raises(UnavailableError, match="is busy with"), landing_alone(tmp_path, "the topic", 0.0):
            pass
        landed = threading.Event()

        def land() -> None:
            with landing_alone(tmp_path, "the topic", PATIENCE):
                landed.set()

        waiting = threading.Thread(target=land)
        waiting.start()
        time.sleep(0.2)
        assert not landed.is_set()
    assert landed.wait(PATIENCE)
    waiting.join()
