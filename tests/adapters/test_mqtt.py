"""Topics of MQTT land once: against a real Mosquitto of our own, which keeps as many messages as come."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.adapters.brokers import (
    Traffic,
    free_port,
    killed_while_landing,
    land,
    landed_of,
    own_server,
    read_on,
    send_mqtt,
    settings_of,
)

from heptad.core.errors import DataError, UnavailableError
from heptad.data import open_stream
from heptad.testing.stream_contract import Opened, Send, StreamContract, received


def configured(folder: Path, port: int, *lines: str) -> str:
    """A file of settings for Mosquitto."""
    file = folder / "mosquitto.conf"
    given = [
        f"listener {port} 127.0.0.1",
        "max_queued_messages 0",
        "log_dest none",
        *(lines or ["allow_anonymous true"]),
    ]
    file.write_text("\n".join(given) + "\n")
    return str(file)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with own_server("mosquitto", "-c", configured(tmp_path_factory.mktemp("mosquitto"), port), port=port):
        yield f"127.0.0.1:{port}"


@pytest.fixture
def topic() -> str:
    return f"heptad{secrets.token_hex(4)}"


class TestMqttStream(StreamContract):
    @pytest.fixture
    def opened(self, server: str, topic: str) -> Opened:
        return lambda: open_stream(settings_of(f"mqtt://{server}/{topic}/#"), topic)

    @pytest.fixture
    def send(self, server: str, topic: str) -> Send:
        def sent(payloads: Sequence[bytes]) -> None:
            send_mqtt(server, f"{topic}/some", payloads)

        return sent


@pytest.mark.slow
@pytest.mark.parametrize("name", ["number", ""])
def test_each_message_lands_once_whenever_the_process_is_killed(
    name: str, server: str, topic: str, tmp_path: Path
) -> None:
    """Under load, with disorder and poison: repeats too by an id, without one where the producer makes none."""
    settings = settings_of(f"mqtt://{server}/{topic}/#", id=name)
    land(tmp_path, settings, seconds=0.1)  # only who has subscribed is sent anything
    traffic = Traffic(3, 2_000, repeats=bool(name))
    killed_while_landing(tmp_path, settings, traffic, lambda some: send_mqtt(server, f"{topic}/a", some))


def test_a_broker_that_forgot_the_session_is_told_each_time(tmp_path: Path, topic: str) -> None:
    """What was published since may be lost, which only a person accepts."""
    from heptad.data import Place, Until, follow

    port = free_port()
    settings = settings_of(f"mqtt://127.0.0.1:{port}/{topic}")
    file = configured(tmp_path, port)
    with own_server("mosquitto", "-c", file, port=port):
        land(tmp_path, settings, seconds=0.1)
        send_mqtt(f"127.0.0.1:{port}", topic, [b'{"number": 1}'])
        land(tmp_path, settings)
    with pytest.raises(UnavailableError, match="does not answer"):
        land(tmp_path, settings)
    with own_server("mosquitto", "-c", file, port=port):
        for _ in range(2):
            with pytest.raises(DataError, match="forgotten this reader's session"):
                land(tmp_path, settings)
        follow(settings, Place(root=tmp_path), Until(seconds=0.1), accept_loss=True)
        send_mqtt(f"127.0.0.1:{port}", topic, [b'{"number": 2}'])
        land(tmp_path, settings)
    assert sorted(landed_of(tmp_path, settings)[0]["number"]) == [1, 2]


def test_a_broker_that_is_gone_in_the_middle_is_told(tmp_path: Path, topic: str) -> None:
    """After what came before has been read."""
    port = free_port()
    with own_server("mosquitto", "-c", configured(tmp_path, port), port=port) as process:
        stream = open_stream(settings_of(f"mqtt://127.0.0.1:{port}/{topic}"), topic)
        stream.start({})
        send_mqtt(f"127.0.0.1:{port}", topic, [b"1", b"2"])
        assert received(stream, 2).payloads == [b"1", b"2"]
        process.kill()
        with pytest.raises(UnavailableError, match="does not answer"):
            read_on(stream)
        stream.close()


def test_a_retained_message_lands_once(server: str, topic: str, tmp_path: Path) -> None:
    """The broker sends it with a new subscription, and not with each connection."""
    from paho.mqtt import publish

    host, _, port = server.partition(":")
    publish.single(topic, b'{"number": 1}', qos=1, retain=True, hostname=host, port=int(port))
    settings = settings_of(f"mqtt://{server}/{topic}")
    for _ in range(2):
        land(tmp_path, settings)
    assert landed_of(tmp_path, settings)[0]["number"].to_list() == [1]


def test_what_is_retained_does_not_land_again_with_a_new_session(tmp_path: Path, topic: str) -> None:
    """Of each topic what landed last is known again, poison too; what was published meanwhile lands."""
    from paho.mqtt import publish

    from heptad.data import Place, Until, follow

    port = free_port()
    settings = settings_of(f"mqtt://127.0.0.1:{port}/{topic}/#")
    file = configured(tmp_path, port)

    def retain(name: str, payload: bytes) -> None:
        publish.single(f"{topic}/{name}", payload, qos=1, retain=True, hostname="127.0.0.1", port=port)

    with own_server("mosquitto", "-c", file, port=port):
        land(tmp_path, settings, seconds=0.1)
        for name, payload in (("a", b'{"number": 1}'), ("a", b'{"number": 2}'), ("b", b'{"number": 3}'), ("c", b"{")):
            retain(name, payload)
        land(tmp_path, settings)
    with own_server("mosquitto", "-c", file, port=port):
        for name, payload in (("a", b'{"number": 2}'), ("b", b'{"number": 4}'), ("c", b"{"), ("d", b'{"number": 5}')):
            retain(name, payload)
        landed = follow(settings, Place(root=tmp_path), Until(now=True), accept_loss=True)
        assert (landed.rows, landed.poison, landed.repeated) == (2, 0, 2)
        retain("a", b'{"number": 2}')
        land(tmp_path, settings)
    rows, poison = landed_of(tmp_path, settings)
    assert sorted(rows["number"]) == [1, 2, 2, 3, 4, 5]
    assert len(poison) == 1


def test_a_user_that_the_broker_does_not_know_is_told_without_the_password(
    tmp_path: Path, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is no outage: trying again does not help."""
    port = free_port()
    monkeypatch.setenv("MQTT_PASSWORD", "sesame-open")
    with own_server("mosquitto", "-c", configured(tmp_path, port, "allow_anonymous false"), port=port):
        with pytest.raises(DataError, match="refuses this reader") as told:
            land(tmp_path, settings_of(f"mqtt://me:${{MQTT_PASSWORD}}@127.0.0.1:{port}/{topic}"))
        assert "sesame" not in str(told.value)
