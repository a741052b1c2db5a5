"""Topics of Kafka land exactly once: against librdkafka's mock cluster, in a process of its own."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import ClusterMetadata
from tests.adapters.brokers import (
    Traffic,
    kafka_cluster,
    killed_while_landing,
    land,
    landed_of,
    read_on,
    send_kafka,
    settings_of,
)

from heptad.adapters import kafka
from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Stream, open_stream
from heptad.testing.stream_contract import Opened, Send, StreamContract, received


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with kafka_cluster() as (found, _):
        yield found


@pytest.fixture
def topic(servers: str, request: pytest.FixtureRequest) -> str:
    """A topic that is there, and empty."""
    from confluent_kafka import Producer

    name = f"t{abs(hash(request.node.nodeid))}"
    Producer({"bootstrap.servers": servers, "log_level": 0}).list_topics(name, timeout=30)
    return name


class TestKafkaStream(StreamContract):
    @pytest.fixture
    def opened(self, servers: str, topic: str) -> Opened:
        return lambda: open_stream(settings_of(f"kafka://{servers}/{topic}"), "reader")

    @pytest.fixture
    def send(self, servers: str, topic: str) -> Send:
        def sent(payloads: Sequence[bytes]) -> None:
            send_kafka(servers, topic, payloads)

        return sent


@pytest.mark.slow
def test_each_message_lands_once_whenever_the_process_is_killed(servers: str, topic: str, tmp_path: Path) -> None:
    """Under load, with repeats, disorder and poison."""
    settings = settings_of(f"kafka://{servers}/{topic}", id="number")
    killed_while_landing(tmp_path, settings, Traffic(1, 2_000), lambda some: send_kafka(servers, topic, some))


def test_messages_that_are_gone_are_told_and_skipped_only_when_asked(servers: str, topic: str, tmp_path: Path) -> None:
    """A partition keeps 5 MB here: what was dropped before it landed is an error, and `accept_loss` goes on."""
    from heptad.data import Place, Until, follow

    settings = settings_of(f"kafka://{servers}/{topic}")
    send_kafka(servers, topic, [b'{"number": 1}'] * 50, partition=0)
    land(tmp_path, settings)
    large = json.dumps({"number": 2, "text": "x" * 100_000}).encode()
    send_kafka(servers, topic, [large] * 400, partition=0)
    with pytest.raises(DataError, match="gone: the next would have been") as told:
        land(tmp_path, settings)
    assert "--accept-loss" in told.value.remedy
    landed = follow(settings, Place(root=tmp_path), Until(now=True), accept_loss=True)
    assert 0 < landed.rows < 400
    assert len(landed_of(tmp_path, settings)[0]) == 50 + landed.rows


def test_a_topic_made_anew_is_told(servers: str, topic: str) -> None:
    """Positions behind the end of a partition are of another topic of this name, whatever loss is accepted."""
    for accept_loss in (False, True):
        stream = open_stream(settings_of(f"kafka://{servers}/{topic}"), "reader")
        with pytest.raises(DataError, match=r"counts its messages anew: .* partition 0 is empty"):
            stream.start({0: 1_000}, accept_loss=accept_loss)
        stream.close()


def test_a_topic_that_is_not_there_is_told(servers: str, topic: str, tmp_path: Path) -> None:
    """With the nearest one."""
    with pytest.raises(DataError, match="There is no topic") as told:
        land(tmp_path, settings_of(f"kafka://{servers}/{topic}x"))
    assert topic in told.value.allowed


def test_a_broker_that_is_gone_is_told(tmp_path: Path) -> None:
    """From the start, and in the middle; what has landed stays, and no password is shown."""
    with kafka_cluster() as (servers, process):
        settings = settings_of(f"kafka://{servers}/some", timeout="2s")
        send_kafka(servers, "some", [b'{"number": 1}'] * 5)
        stream: Stream = open_stream(settings, "reader")
        stream.start({})
        assert len(received(stream, 5)) == 5
        land(tmp_path, settings)
        process.kill()
        process.wait()
        with pytest.raises(UnavailableError, match="does not answer"):
            read_on(stream)
        stream.close()
        with pytest.raises(UnavailableError):
            land(tmp_path, settings)
        assert len(landed_of(tmp_path, settings)[0]) == 5


def test_a_library_that_does_not_let_go_of_the_broker_is_left(
    servers: str, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and whoever reads goes on: with another stream, or to its end."""
    gone = threading.Event()

    class Hanging(kafka.Consumer):
        def close(self) -> None:
            gone.wait()
            super().close()

    monkeypatch.setattr(kafka, "Consumer", Hanging)
    monkeypatch.setattr(kafka, "CLOSE_SECONDS", 0.2)
    stream = open_stream(settings_of(f"kafka://{servers}/{topic}"), "reader")
    stream.start({})
    stream.close()
    gone.set()
    assert "did not let go" in caplog.text


def test_options_that_exactly_once_rests_on_are_refused() -> None:
    """Others are librdkafka's, secrets among them only by name."""
    for name in ("enable.auto.commit", "group.id", "plugin.library.paths"):
        with pytest.raises(SettingsError, match="set by Heptad"):
            open_stream(settings_of("kafka://localhost/t", options={name: "x"}), "reader")
    with pytest.raises(SettingsError, match=r"sasl.password"):
        open_stream(settings_of("kafka://localhost/t", options={"sasl.password": "sesame"}), "reader")
    with pytest.raises(SettingsError, match="No such configuration"):
        open_stream(settings_of("kafka://localhost/t", options={"no.such": "x"}), "reader")


def test_when_a_message_was_sent_is_read_back_before_it_goes_on(servers: str, topic: str) -> None:
    """So a topic made anew is told, where the broker has no ids of topics; what is read next stays the same."""
    settings = settings_of(f"kafka://{servers}/{topic}")
    send_kafka(servers, topic, [b'{"number": 1}'] * 3, partition=0)
    stream = open_stream(settings, "reader")
    stream.start({})
    first = received(stream, 3)
    stream.close()
    again = open_stream(settings, "reader")
    again.start({0: 1})
    assert again.topic_id() == ""
    assert again.sent({0: 1, 1: 5}) == {0: first.times[1]}
    assert received(again, 1).positions == [2]
    again.close()


def test_the_id_of_a_topic_is_that_of_the_broker(servers: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero is none, and so is a refusal, which keeps nobody from landing. The mock cluster cannot be asked."""
    told = Uuid(0, 0)
    refusal: KafkaException | None = None

    class Controlled(kafka.Consumer):
        def list_topics(self, *arguments: Any, **named: Any) -> ClusterMetadata:
            found = super().list_topics(*arguments, **named)
            found.controller_id = min(found.brokers)
            return found

    class Described:
        def __init__(self, config: dict[str, object], **_: object) -> None:
            assert config["bootstrap.servers"] == servers

        def describe_topics(self, asked: TopicCollection, **_: object) -> dict[str, Future[SimpleNamespace]]:
            answer: Future[SimpleNamespace] = Future()
            answer.set_result(SimpleNamespace(topic_id=told)) if refusal is None else answer.set_exception(refusal)
            return dict.fromkeys(asked.topic_names, answer)

    monkeypatch.setattr(kafka, "AdminClient", Described)
    monkeypatch.setattr(kafka, "Consumer", Controlled)
    stream = open_stream(settings_of(f"kafka://{servers}/{topic}"), "reader")
    stream.start({})
    assert stream.topic_id() == ""
    told = Uuid(7, -9)
    assert stream.topic_id() == str(told)
    refusal = KafkaException(KafkaError(KafkaError.UNSUPPORTED_VERSION))
    assert stream.topic_id() == ""
    stream.close()
