"""A stream lands once, poison apart, and becomes a version: here a mock cluster of Kafka inside of this process."""

import json
from pathlib import Path

from confluent_kafka import Producer

import heptad
from heptad.data import Until

SETTINGS = """
[project]
name = "orders"

[sources.orders]
uri = "kafka://{servers}/orders"
id = "order"             # producers may send a message twice

[data]
target = "returned"
key = ["order"]
"""


def order(number: int) -> bytes:
    """An order; every third comes back, and the dear ones."""
    price = number % 50
    message = {"order": number, "price": price, "place": {"country": "FR"}, "returned": number % 3 == 0 or price > 40}
    return json.dumps(message).encode()


def main() -> None:
    folder = Path("heptad-example-streams")
    folder.mkdir(exist_ok=True)
    cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
    servers = ",".join(f"{one.host}:{one.port}" for one in cluster.list_topics(timeout=30).brokers.values())
    (folder / "heptad.toml").write_text(SETTINGS.format(servers=servers), encoding="utf-8")
    for message in [*map(order, range(300)), order(7), b"no JSON", b'{"order": "eight"}']:
        cluster.produce("orders", message)
    cluster.flush()

    project = heptad.open(folder)
    landed = project.data.streams.land("orders", Until(now=True))
    print(f"{landed.rows} rows, {landed.poison} poison, {landed.repeated} repeated")
    for reason in sorted(project.data.streams.poison("orders").collect()["reason"]):
        print(reason)

    cluster.produce("orders", order(300))
    cluster.flush()
    version = project.data.collect()
    print(f"version {version.body.version}: {version.body.rows} rows")
    print(version.body.sources[0].understood["format"])


if __name__ == "__main__":
    main()
