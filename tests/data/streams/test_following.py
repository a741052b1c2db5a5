"""A stream is followed until it is time to stop, by one process, over outages of the broker."""

import threading
import time
from pathlib import Path

import pytest
from tests.adapters.brokers import send_kafka, settings_of

from heptad.core.errors import ConflictError, SettingsError, UnavailableError
from heptad.data import Landed, Place, Until, follow
from heptad.data.streams import following
from heptad.data.streams.following import landed_folder


def sent(topic: str, *numbers: int) -> None:
    servers, _, name = topic.partition("/")
    send_kafka(servers, name, [b'{"number": %d}' % one for one in numbers])


def test_what_is_waiting_lands_and_then_it_stops(topic: str, tmp_path: Path) -> None:
    """Also where nothing waits; each batch is told once it has landed."""
    settings, told = settings_of(f"kafka://{topic}"), list[Landed]()
    assert follow(settings, Place(root=tmp_path), Until(now=True), told.append) == Landed()
    sent(topic, *range(100))
    assert follow(settings, Place(root=tmp_path), Until(now=True), told.append) == Landed(rows=100)
    assert sum(one.rows for one in told) == 100


def test_it_goes_on_until_it_is_told_to_stop_or_its_time_is_over(topic: str, tmp_path: Path) -> None:
    """And lands what comes meanwhile."""
    settings, until = settings_of(f"kafka://{topic}"), Until()

    def stop(landed: Landed) -> None:
        if landed.rows:
            until.stop.set()

    threading.Timer(0.3, sent, (topic, 1, 2)).start()
    assert follow(settings, Place(root=tmp_path), until, stop).rows >= 1
    began = time.monotonic()
    follow(settings, Place(root=tmp_path), Until(seconds=0.3))
    assert time.monotonic() - began >= 0.3


def test_one_process_lands_at_a_time(topic: str, tmp_path: Path) -> None:
    """Another is told so, and may read what lands."""
    settings, until = settings_of(f"kafka://{topic}"), Until()
    sent(topic, 1)
    landed = threading.Event()
    first = threading.Thread(target=follow, args=(settings, Place(root=tmp_path), until, lambda _: landed.set()))
    first.start()
    assert landed.wait(60)
    with pytest.raises(ConflictError, match="Another process lands"):
        follow(settings, Place(root=tmp_path), Until(now=True))
    until.stop.set()
    first.join()
    assert follow(settings, Place(root=tmp_path), Until(now=True)) == Landed()


def test_a_broker_that_stays_away_is_asked_as_often_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With growing pauses; then the error says what does not answer."""
    pauses: list[float] = []
    until = Until()
    monkeypatch.setattr(until.stop, "wait", lambda pause: pauses.append(pause) or False)
    settings, told = settings_of("kafka://127.0.0.1:1/t", retries=3, timeout="100ms"), list[Landed]()
    with pytest.raises(UnavailableError, match=r"kafka://127.0.0.1:1/t does not answer"):
        follow(settings, Place(root=tmp_path), until, told.append)
    assert told == [Landed()] * 3  # whoever watches hears that it lives
    assert pauses == [following.PAUSE, 2 * following.PAUSE, 4 * following.PAUSE]
    assert follow(settings, Place(root=tmp_path), _stopped()) == Landed()


def _stopped() -> Until:
    until = Until()
    until.stop.set()
    return until


def test_a_format_that_messages_cannot_have_is_refused(tmp_path: Path) -> None:
    """Before any broker is asked."""
    with pytest.raises(SettingsError, match="no format of messages"):
        follow(settings_of("kafka://127.0.0.1:1/t", format="parquet"), Place(root=tmp_path), Until(now=True))


def test_tables_are_named_by_topic_and_told_apart_by_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password changes nothing, and no sign of a topic leads out of the folder."""
    monkeypatch.setenv("P", "one")

    def folder(uri: str) -> Path:
        return landed_folder(settings_of(uri), Place(root=tmp_path))

    found = folder("mqtt://me:${P}@host/../plant/+/#")
    monkeypatch.setenv("P", "two")
    assert folder("mqtt://me:${P}@host/../plant/+/#") == found
    assert found.parent == tmp_path / ".heptad" / "tables"
    assert found.name.startswith("stream-plant-")
    assert len({folder(f"{scheme}://host/t") for scheme in ("kafka", "nats", "mqtt")}) == 3
