"""A topic that several test files land."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from tests.adapters.brokers import kafka_cluster


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    with kafka_cluster() as (found, _):
        yield found


@pytest.fixture
def topic(kafka_servers: str, request: pytest.FixtureRequest) -> str:
    """`host:port/topic` of a topic that is there, and empty."""
    name = f"t{abs(hash(request.node.nodeid))}"
    Producer({"bootstrap.servers": kafka_servers, "log_level": 0}).list_topics(name, timeout=30)
    return f"{kafka_servers}/{name}"
