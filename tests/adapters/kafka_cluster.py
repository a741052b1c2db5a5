"""A mock cluster of librdkafka in a process of its own: prints its addresses, and lives until its input ends.

A line on its input is a command: `down` and `up` make the broker refuse and take connections.
Usage: python tests/adapters/kafka_cluster.py
"""

import sys

from confluent_kafka import Producer


def main() -> None:
    cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
    brokers = cluster.list_topics(timeout=30).brokers.values()
    sys.stdout.write(",".join(f"{one.host}:{one.port}" for one in brokers) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
