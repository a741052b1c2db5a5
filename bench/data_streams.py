"""A stream of 1 kB JSON into Delta exactly once, against a bare read, a bare parse and a bare Delta write of it.

The broker is librdkafka's mock cluster in a process of its own. It keeps 5 MB of each partition as they were sent, so
messages are compressed, as they mostly are; NATS, where one answers on loopback, is a real one.
"""

import asyncio
import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import nats
import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition
from deltalake import write_deltalake
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig

from bench.figures import Figure
from heptad.data import Place, SourceSettings, Until, follow, scan_table
from heptad.data.streams.following import landed_folder

MESSAGES, FEWER = 100_000, 20_000
FLOOR = 50_000.0
REPEATS = 3
PARTITIONS = 4
"""As the mock cluster has them."""
CLUSTER = """
import sys
from confluent_kafka import Producer
cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
print(",".join(f"{one.host}:{one.port}" for one in cluster.list_topics(timeout=30).brokers.values()), flush=True)
sys.stdin.read()
"""
NATS = "127.0.0.1:4222"


def measure() -> list[Figure]:
    """Messages a second that land, with the broker's side and all syncs."""
    payloads = messages()
    with cluster() as servers, tempfile.TemporaryDirectory() as folder:
        bare, landed = 0.0, 0.0
        for turn in range(REPEATS):
            topic = f"clicks{turn}"
            send(servers, topic, payloads)
            bare = max(bare, MESSAGES / bare_landing(servers, topic, Path(folder, f"bare{turn}")))
            landed = max(landed, MESSAGES / landing(f"kafka://{servers}/{topic}", Path(folder, f"{turn}"), MESSAGES))
    name = f"{MESSAGES:,} messages of 1 kB JSON from Kafka into Delta, once"
    figures = [_figure(name, landed, bare, FLOOR)]
    found = in_nats(payloads[:FEWER])
    if found:
        figures.append(_figure(f"{FEWER:,} messages of 1 kB JSON from NATS into Delta, once", *found, 0.0))
    return figures


def messages() -> list[bytes]:
    """About 1 kB each: an id, texts, numbers, an object."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=72)) for _ in range(50)]

    def one(number: int) -> bytes:
        texts = {f"text_{place}": chance.choice(words) for place in range(9)}
        numbers = {f"value_{place}": round(chance.random(), 3) for place in range(8)}
        place = {"lat": round(chance.random(), 3), "city": "Paris"}
        return json.dumps(
            {"number": number, "price": chance.randrange(100), **texts, **numbers, "place": place}
        ).encode()

    made = [one(number) for number in range(MESSAGES)]
    if not 950 <= sum(map(len, made)) / MESSAGES <= 1_050:
        raise AssertionError(f"{sum(map(len, made)) / MESSAGES} bytes a message")
    return made


def landing(uri: str, folder: Path, expected: int) -> float:
    """Seconds until everything has landed, from before the broker is connected to until after the last sync."""
    settings, place = SourceSettings(uri=uri), Place(root=folder)
    began = time.perf_counter()
    follow(settings, place, Until(now=True))
    seconds = time.perf_counter() - began
    rows = scan_table(landed_folder(settings, place)).select(pl.col("number").n_unique()).collect().item()
    if rows != expected:
        raise AssertionError(f"{rows} rows landed")
    return seconds


def bare_landing(servers: str, topic: str, folder: Path) -> float:
    """Seconds for the same without a promise: all read, parsed at once, written in one commit, nothing synced."""
    began = time.perf_counter()
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "bare", "log_level": 0})
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, one, 0) for one in partitions])
    payloads: list[bytes] = []
    while len(payloads) < MESSAGES:
        messages = consumer.consume(10_000, 10.0)
        if not messages:
            raise AssertionError(f"{len(payloads)} messages came")
        payloads += [value for one in messages if not one.error() and (value := one.value())]
    consumer.close()
    write_bare(payloads, folder)
    return time.perf_counter() - began


def write_bare(payloads: list[bytes], folder: Path) -> None:
    write_deltalake(folder, pl.read_ndjson(BytesIO(b"\n".join(payloads))).unnest("place"))


def send(servers: str, topic: str, payloads: list[bytes]) -> None:
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "compression.type": "zstd",
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "log_level": 0,
        }
    )
    for place, payload in enumerate(payloads):
        while True:
            try:
                producer.produce(topic, payload, partition=place // 500 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.05)
    if producer.flush(60):
        raise AssertionError("not everything was sent")


def in_nats(payloads: list[bytes]) -> tuple[float, float] | None:
    """Messages a second that land from NATS, and without a promise; `None` where none answers."""
    name = f"bench{secrets.token_hex(4)}"
    try:
        asyncio.run(_send_nats(name, payloads))
    except (OSError, NatsError):
        return None
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        write_bare(asyncio.run(_read_nats(name)), Path(folder, "bare"))
        bare = time.perf_counter() - began
        landed = landing(f"nats://{NATS}/{name}", Path(folder), FEWER)
    asyncio.run(_drop_nats(name))
    return FEWER / landed, FEWER / bare


async def _send_nats(name: str, payloads: list[bytes]) -> None:
    client = await nats.connect(f"nats://{NATS}", connect_timeout=2, max_reconnect_attempts=0)
    stream = client.jetstream(timeout=60)
    await stream.add_stream(name=name, subjects=[name])
    for payload in payloads[:-1]:
        await client.publish(name, payload)
    await stream.publish(name, payloads[-1])
    await client.close()


async def _read_nats(name: str) -> list[bytes]:
    client = await nats.connect(f"nats://{NATS}")
    stream = await client.jetstream().pull_subscribe(
        name, durable="bare", config=ConsumerConfig(ack_policy=AckPolicy.NONE)
    )
    payloads: list[bytes] = []
    while len(payloads) < FEWER:
        payloads += [one.data for one in await stream.fetch(5_000, timeout=5)]
    await client.close()
    return payloads


async def _drop_nats(name: str) -> None:
    client = await nats.connect(f"nats://{NATS}")
    await client.jetstream().delete_stream(name)
    await client.close()


@contextmanager
def cluster() -> Iterator[str]:
    """The addresses of a mock cluster."""
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise AssertionError
        yield process.stdout.readline().strip()
        process.kill()


def _figure(name: str, value: float, limit: float, least: float) -> Figure:
    floor = f"at least {least:,.0f}/s" if least else "none; a real broker, bound by its client in Python"
    return Figure(
        name=name, value=value, unit="1/s", limit=limit, ratio=value / limit, floor=floor, holds=value >= least
    )
