"""Brokers that tests of streams run against, and a child that lands a stream until it is killed."""

import asyncio
import json
import os
import random
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nats
import polars as pl
import pytest
from confluent_kafka import Producer
from paho.mqtt import publish

from heptad.data import Place, SourceSettings, Stream
from heptad.data.streams.following import Until, follow, landed_folder
from heptad.data.streams.landed import MESSAGE, LandedTable
from heptad.data.streams.landing import POISON, poison_folder

NATS = os.environ.get("HEPTAD_TEST_NATS", "127.0.0.1:4222")
CLUSTER = Path(__file__).with_name("kafka_cluster.py")
ANY_PARTITION = -1
PATIENCE = 60.0
"""Seconds that a busy machine may need."""


def answering(place: str) -> str:
    """The place, where something listens there; else empty."""
    host, _, port = place.partition(":")
    with suppress(OSError):
        socket.create_connection((host, int(port)), timeout=2).close()
        return place
    return ""


def program_of(name: str) -> str:
    """Where a program is installed; empty where it is not."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def kafka_cluster() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The addresses of a mock cluster, and its process."""
    command = [sys.executable, str(CLUSTER)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@contextmanager
def own_server(program: str, *arguments: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A broker of our own, that a test may stop; it answers when this returns."""
    found = program_of(program)
    if not found:
        pytest.skip(f"there is no {program} to start")
    with subprocess.Popen([found, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            ends = time.monotonic() + PATIENCE
            while not answering(f"127.0.0.1:{port}"):
                assert process.poll() is None, f"{program} ended"
                assert time.monotonic() < ends, f"{program} does not answer"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def send_kafka(
    servers: str, topic: str, payloads: Sequence[bytes], *, partition: int = ANY_PARTITION, **settings: Any
) -> None:
    producer = Producer({"bootstrap.servers": servers, "log_level": 0, **settings})
    for payload in payloads:
        producer.produce(topic, payload, partition=partition)
        producer.poll(0)
    assert producer.flush(PATIENCE) == 0


async def _in_nats(place: str, act: Callable[[Any, Any], Any]) -> Any:
    client = await nats.connect(f"nats://{place}", connect_timeout=10)
    try:
        return await act(client, client.jetstream(timeout=PATIENCE))
    finally:
        await client.close()


def in_nats(place: str, act: Callable[[Any, Any], Any]) -> Any:
    """Does something with a client and its JetStream."""
    return asyncio.run(_in_nats(place, act))


def send_nats(place: str, subject: str, payloads: Sequence[bytes]) -> None:
    async def act(_client: Any, stream: Any) -> None:
        for start in range(0, len(payloads), 200):
            await asyncio.gather(*(stream.publish(subject, one) for one in payloads[start : start + 200]))

    in_nats(place, act)


@contextmanager
def nats_stream(place: str, **settings: Any) -> Iterator[str]:
    """The name of a JetStream stream, whose subjects are `NAME.>`."""
    name = f"heptad{secrets.token_hex(4)}"
    wanted = {"name": name, "subjects": [f"{name}.>"], **settings}
    in_nats(place, lambda _, stream: stream.add_stream(**wanted))
    yield name
    in_nats(place, lambda _, stream: stream.delete_stream(name))


def send_mqtt(place: str, topic: str, payloads: Sequence[bytes]) -> None:
    host, _, port = place.partition(":")
    messages = [{"topic": topic, "payload": one, "qos": 1} for one in payloads]
    publish.multiple(messages, hostname=host, port=int(port))


def settings_of(uri: str, **settings: Any) -> SourceSettings:
    """Those that make tests quick."""
    return SourceSettings(uri=uri, **{"commit_every": "100ms", "timeout": "5s", "retries": 0, **settings})


def land(folder: Path, settings: SourceSettings, **until: Any) -> Any:
    return follow(settings, Place(root=folder), Until(**{"now": True, **until}))


def landed_of(folder: Path, settings: SourceSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is in the table, and what in the quarantine."""
    rows = landed_folder(settings, Place(root=folder))
    tables = LandedTable(rows, MESSAGE), LandedTable(poison_folder(rows), POISON)
    found = [one.scan().collect() for one in tables]
    return found[0], found[1]


def read_on(stream: Stream) -> None:
    """Reads until that raises."""
    for _ in range(100):
        stream.read(10, 0.5)


class Traffic:
    """Numbered messages of a bad day: some twice, some out of order, some poison, each piece of which is its own."""

    def __init__(self, seed: int, numbers: int, *, repeats: bool = True) -> None:
        chance = random.Random(seed)
        rows = [json.dumps({"number": one, "text": "x" * chance.randrange(50)}).encode() for one in range(numbers)]
        rows = [row[:-1] + b', "late": true}' if one > numbers // 2 else row for one, row in enumerate(rows)]
        repeated = chance.sample(rows, numbers // 10) if repeats else []
        self.poison = [
            b'{"number": "p%d"}' % one if one % 2 else b'{"number": %d' % one for one in range(numbers // 20)
        ]
        # Sorted by a place that is a little wrong: repeats come later, others a few places early or late.
        placed = [(place + chance.random() * 30, row) for place, row in enumerate(rows)]
        placed += [(chance.randrange(30, numbers), row) for row in repeated]
        placed += [(chance.randrange(30, numbers), row) for row in self.poison]
        self.numbers = numbers
        self.payloads = [row for _, row in sorted(placed)]


CHILD = Path(__file__).with_name("landing_child.py")


def killed_while_landing(
    folder: Path, settings: SourceSettings, traffic: Traffic, send: Callable[[Sequence[bytes]], None], seed: int = 1
) -> None:
    """Lands under load in children that are killed: at boundaries between durable acts, and at any instant."""
    chance = random.Random(seed)
    ended = threading.Event()

    def produce() -> None:
        for start in range(0, len(traffic.payloads), 50):
            send(traffic.payloads[start : start + 50])
        ended.set()

    producer = threading.Thread(target=produce)
    producer.start()
    command = [sys.executable, str(CHILD), settings.uri, settings.id, str(folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(command, start_new_session=True, **pipes) as children:
        try:
            for boundary in (2, 4, 5, 6, 7, 9):
                _begun(children, boundary)
                while (said := _said(children)) == "landed":
                    pass
                assert said == f"ended {-signal.SIGKILL}"
            for _ in range(4):
                child = _begun(children, 0)
                for _ in range(chance.randrange(1, 4)):
                    assert _said(children) == "landed"
                time.sleep(chance.random() * 0.05)
                os.kill(child, signal.SIGKILL)
                while _said(children) == "landed":
                    pass
        finally:
            os.killpg(children.pid, signal.SIGKILL)
    producer.join()
    assert ended.is_set()
    land(folder, settings)
    rows, poison = landed_of(folder, settings)
    assert sorted(rows["number"]) == list(range(traffic.numbers))
    assert Counter(poison["payload"]) == Counter(traffic.poison)
    assert poison["reason"].null_count() == 0


def _begun(children: "subprocess.Popen[bytes]", boundary: int) -> int:
    """The process id of a child that is killed at that boundary."""
    assert children.stdin is not None
    children.stdin.write(b"%d\n" % boundary)
    word, pid = _said(children).split()
    assert word == "begun"
    return int(pid)


def _said(children: "subprocess.Popen[bytes]") -> str:
    assert children.stdout is not None
    assert select.select([children.stdout], [], [], PATIENCE)[0], "nothing is said any more"
    return children.stdout.readline().decode().rstrip()
