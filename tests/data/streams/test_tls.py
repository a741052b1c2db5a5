"""Encrypted streams: a real NATS server and a real Mosquitto, with certificates that the test has made."""

import asyncio
import gc
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nats
import pytest
from paho.mqtt import publish
from tests.adapters.brokers import free_port, land, landed_of, own_server, settings_of
from tests.adapters.certificates import Authority

from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import SourceSettings, open_stream
from heptad.data.streams.tls import placed, tls_of

Send = Callable[[Sequence[bytes]], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


class Broker:
    """One that encrypts: how it is reached, and how something is sent to it."""

    def __init__(self, uri: str, plain: str, send: Send) -> None:
        self.uri, self.plain, self.send = uri, plain, send


def nats_settings(folder: Path, port: int, certificate: Path, key: Path, ca: Path) -> str:
    file = folder / "nats.conf"
    file.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder / "store"}" }}\n'
        f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ca}", verify: true }}\n'
        'authorization { user: "me", password: "sesame-open" }\n'
    )
    return str(file)


@pytest.fixture(scope="module")
def nats_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder, port = tmp_path_factory.mktemp("nats"), free_port()
    certificate, key = authority.issued("nats")
    client = ssl.create_default_context(cafile=str(authority.file))
    client.load_cert_chain(*authority.issued("sender"))

    async def sent(payloads: Sequence[bytes]) -> None:
        sender = await nats.connect(f"tls://127.0.0.1:{port}", tls=client, user="me", password="sesame-open")
        stream = sender.jetstream(timeout=60)
        await stream.add_stream(name="orders", subjects=["orders.>"])
        for one in payloads:
            await stream.publish("orders.new", one)
        await sender.close()

    with own_server("nats-server", "-c", nats_settings(folder, port, certificate, key, authority.file), port=port):
        where = f"me:${{BROKER_PASSWORD}}@127.0.0.1:{port}/orders.>"
        yield Broker(f"nats+tls://{where}", f"nats://{where}", lambda payloads: asyncio.run(sent(payloads)))


@pytest.fixture(scope="module")
def mqtt_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder, port = tmp_path_factory.mktemp("mosquitto"), free_port()
    certificate, key = authority.issued("mosquitto")
    file = folder / "mosquitto.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "log_dest none",
        "require_certificate true",
        "user root",
    ]
    lines += [f"cafile {authority.file}", f"certfile {certificate}", f"keyfile {key}"]
    file.write_text("\n".join(lines) + "\n")
    mine, own = authority.issued("publisher")

    def sent(payloads: Sequence[bytes]) -> None:
        tls: Any = {"ca_certs": str(authority.file), "certfile": str(mine), "keyfile": str(own)}
        messages: Any = [{"topic": "plant/a", "payload": one, "qos": 1} for one in payloads]
        publish.multiple(messages, hostname="127.0.0.1", port=port, tls=tls)

    with own_server("mosquitto", "-c", str(file), port=port):
        yield Broker(f"mqtts://127.0.0.1:{port}/plant/#", f"mqtt://127.0.0.1:{port}/plant/#", sent)


@pytest.fixture(params=["nats_server", "mqtt_server"])
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("BROKER_PASSWORD", "sesame-open")
    found: Broker = request.getfixturevalue(request.param)
    return found


def options_of(authority: Authority, folder: Path) -> dict[str, str]:
    """Files in the project's folder, by names relative to it."""
    certificate, key = authority.issued("reader")
    for name, file in (("ca.pem", authority.file), ("me.pem", certificate), ("me.key", key)):
        (folder / name).write_bytes(file.read_bytes())
    return {"ca": "ca.pem", "certificate": "me.pem", "key": "me.key"}


def test_messages_land_encrypted_with_both_sides_proven(broker: Broker, authority: Authority, tmp_path: Path) -> None:
    """The broker wants a certificate of the reader, and shows one for its name."""
    settings = settings_of(broker.uri, options=options_of(authority, tmp_path))
    broker.send([b'{"number": 0}'])
    land(tmp_path, settings, seconds=0.5)  # only who has subscribed is sent anything by MQTT
    broker.send([b'{"number": 1}', b'{"number": 2}'])
    land(tmp_path, settings)
    assert sorted(landed_of(tmp_path, settings)[0]["number"])[-2:] == [1, 2]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves the socket to the collector
def test_a_broker_whom_nobody_vouches_for_is_refused(broker: Broker, tmp_path: Path) -> None:
    """Trying again does not help, and the password is not told."""
    other = Authority(tmp_path / "other")
    for options in ({}, {"ca": str(other.file)}):
        with pytest.raises(DataError, match="certificate that is not trusted") as told:
            land(tmp_path, settings_of(broker.uri, options=options))
        assert "sesame" not in str(told.value)
    del told
    gc.collect()


def test_without_encryption_it_does_not_answer(broker: Broker, tmp_path: Path) -> None:
    """And nothing that matters was said."""
    with pytest.raises((UnavailableError, DataError)):
        land(tmp_path, settings_of(broker.plain, timeout="2s"))


def test_no_password_goes_to_a_server_that_does_not_encrypt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NATS tells in plain text whether it encrypts; the word of whoever stands in between is not taken."""
    monkeypatch.setenv("BROKER_PASSWORD", "sesame-open")
    said: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id": "x", "version": "2.9.0", "max_payload": 1000, "auth_required": true}\r\n')
        await writer.drain()
        said.append(await reader.read(1000))
        writer.close()

    async def heard() -> None:
        server = await asyncio.start_server(hear, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = settings_of(f"nats+tls://me:${{BROKER_PASSWORD}}@127.0.0.1:{port}/orders")
        with pytest.raises(DataError, match="does not encrypt"):
            await asyncio.to_thread(land, tmp_path, settings)
        server.close()

    asyncio.run(heard())
    assert all(b"sesame" not in one for one in said)


def test_options_that_cannot_be_used_are_told(authority: Authority, tmp_path: Path) -> None:
    """By their names; a key with a password would ask the terminal."""
    certificate, hidden = authority.issued("hidden", password=b"geheim")

    def told(uri: str, **options: str) -> str:
        settings = SourceSettings(uri=uri, options=options)
        with pytest.raises((SettingsError, DataError)) as found:
            tls_of(uri.partition(":")[0], settings)
        return f"{found.value} {found.value.allowed}"

    assert "goes without" in told("mqtt://h/t", ca="ca.pem")
    assert "ca, certificate, key" in told("mqtts://h/t", cafile="ca.pem")
    assert "no certificate beside it" in told("nats+tls://h/t", key="me.key")
    assert "No such file" in told("nats+tls://h/t", ca=str(tmp_path / "nothing.pem"))
    assert "cannot be used" in told("mqtts://h/t", certificate=str(certificate), key=str(hidden))
    plain = SourceSettings(uri="mqtt://h/t")
    assert tls_of("mqtt", plain) is None
    assert placed(plain, tmp_path) is plain
    with pytest.raises(SettingsError, match="no option of mqtt"):
        open_stream(SourceSettings(uri="mqtt://h/t", options={"group.id": "x"}), "reader")
