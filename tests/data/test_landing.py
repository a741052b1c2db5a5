"""A stream lands and its features are online with it."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.adapters.brokers import kafka_cluster, send_kafka

from heptad.core.errors import RefusedError
from heptad.data import Until
from heptad.project import Project, open_project

SETTINGS = """
[project]
name = "shop"
[sources.orders]
uri = "kafka://{servers}/orders"
time = "at"
commit_every = "100ms"
[features.spending]
source = "orders"
on = ["customer"]
columns = ["amount"]
stream = true
ttl = "1d"
[features.spending.make.total]
call = "sum"
of = "amount"
window = "1h"
[features.last]
source = "orders"
on = ["customer"]
columns = ["amount"]
[data]
source = "orders"
target = "amount"
"""


class Orders:
    """Sends orders, numbered through."""

    def __init__(self, servers: str) -> None:
        self.servers, self.sent = servers, 0

    def send(self, count: int) -> None:
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        now = datetime.now(UTC).isoformat()
        self.put(*(json.dumps({"customer": f"c{one % 7}", "amount": one / 2, "at": now}).encode() for one in numbers))

    def put(self, *payloads: bytes) -> None:
        send_kafka(self.servers, "orders", payloads)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Project, Orders]]:
    with kafka_cluster() as (servers, _):
        (tmp_path / "heptad.toml").write_text(SETTINGS.format(servers=servers), encoding="utf-8")
        project, orders = open_project(tmp_path), Orders(servers)
        orders.send(100)
        project.data.land("", Until(now=True))
        project.data.features.apply()
        yield project, orders


def test_features_are_online_with_the_rows_and_as_offline(shop: tuple[Project, Orders]) -> None:
    """What landed before the view was applied too; how fresh they are is told, and views that are no streams wait."""
    project, orders = shop
    features = project.data.features
    done = project.data.land("orders", Until(now=True))
    assert [(one.view, one.rows, one.problem) for one in done.online] == [("spending", 100, "")]
    orders.send(50)
    done = project.data.land("orders", Until(now=True))
    (view,) = done.online
    assert (done.rows, view.rows) == (50, 50)
    assert view.delay_p99 is not None
    assert 0 < view.delay_p99 < 600
    (state,) = project.data.streams.states()
    assert state.last == done or (state.last is not None and state.last.online == done.online)
    row = features.reader("spending").read({"customer": "c2"})
    assert row.as_dict()["total"] == sum(one / 2 for one in range(orders.sent) if one % 7 == 2)
    assert row.freshness[0].state == "fresh"
    (parity,) = features.parity(["spending"])
    assert (parity.different, parity.entities) == (0, 7)
    assert parity.stored_until is not None


def test_materialising_brings_what_has_landed_and_counts_nothing_twice(shop: tuple[Project, Orders]) -> None:
    """With and without starting afresh; and nobody may push the rows that come by themselves."""
    project, orders = shop
    features = project.data.features
    orders.send(20)
    project.data.streams.land("orders", Until(now=True))
    assert [features.materialise(["spending"], afresh=afresh)[0].entities for afresh in (False, False, True)] == [
        7,
        0,
        7,
    ]
    assert features.materialise(["last"])[0].entities == 7
    assert [one.different for one in features.parity()] == [0, 0]
    with pytest.raises(RefusedError, match="would count twice"), features.writer("spending"):
        pass


def test_a_message_with_a_wrong_time_holds_no_view_back(shop: tuple[Project, Orders]) -> None:
    """The stream lands on, and so does the view where a single message is wrong: its customer, or its time."""
    project, orders = shop
    orders.put(b'{"customer": 5, "amount": 1.0, "at": "2026-01-01T00:00:00Z"}')
    assert project.data.land("orders", Until(now=True)).poison == 1
    orders.put(b'{"customer": "c1", "amount": 1.0, "at": "yesterday"}')
    done = project.data.land("orders", Until(now=True))
    assert (done.rows, done.poison) == (0, 1)
    assert [view.problem for view in done.online] == [""]
    reasons = project.data.streams.poison("orders").collect()["reason"].to_list()
    assert reasons[0].startswith("field at cannot be read as a time, as those before it are written: %Y-")
    orders.send(20)
    assert project.data.land("orders", Until(now=True)).online[0].rows == 20
    assert project.data.features.parity(["spending"])[0].different == 0


@pytest.mark.slow
def test_killed_under_load_the_online_store_catches_up_to_parity(tmp_path: Path) -> None:
    """The process that lands and brings is killed at any instants; whoever comes next leaves no difference."""
    chance = random.Random(5)
    with kafka_cluster() as (servers, _):
        (tmp_path / "heptad.toml").write_text(SETTINGS.format(servers=servers), encoding="utf-8")
        project, orders = open_project(tmp_path), Orders(servers)
        orders.send(30)
        project.data.land("orders", Until(now=True))
        project.data.features.apply()
        command = [sys.executable, "-m", "heptad", "data", "stream", "land", "orders", "--project", str(tmp_path)]
        for _ in range(6):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                ends = time.monotonic() + chance.uniform(1.0, 4.0)
                while time.monotonic() < ends:
                    orders.send(20)
                    time.sleep(0.02)
                child.kill()
        done = project.data.land("orders", Until(now=True))
        assert [one.problem for one in done.online] == [""]
        (state,) = project.data.streams.states()
        (parity,) = project.data.features.parity(["spending"])
        assert (parity.entities, parity.different) == (7, 0)
        features = project.data.features
        before = features.reader("spending").read_many([{"customer": f"c{one}"} for one in range(7)])
        features.materialise(["spending"], afresh=True)
        after = features.reader("spending").read_many([{"customer": f"c{one}"} for one in range(7)])
        assert [one.as_dict() for one in before] == [one.as_dict() for one in after]
        assert state.rows > 200
