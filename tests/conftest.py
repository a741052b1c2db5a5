"""What nearly every test needs: a clock that stands still and a real workspace in a temporary folder."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heptad.core.clock import ManualClock
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from tests.adapters.brokers import NATS, answering, program_of
from tests.adapters.conftest import where_redis_is
from tests.adapters.databases.conftest import where_mariadb_is
from tests.core.conftest import where_postgresql_is


@pytest.fixture
def clock() -> ManualClock:
    """Stands at 2026-01-01 00:00 UTC until a test moves it."""
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def workspace(tmp_path: Path, clock: ManualClock) -> Workspace:
    """A workspace on SQLite and local artifacts, with the test's own clock."""
    return replace(open_workspace(tmp_path, "test", StoreSettings()), clock=clock)


def pytest_report_header() -> list[str]:
    """Which servers the tests run against."""
    return [
        f"postgresql: {where_postgresql_is()}",
        f"mariadb: {where_mariadb_is() or 'none answers'}",
        f"redis: {where_redis_is() or 'none answers'}",
        f"nats: {answering(NATS) or 'none answers'}",
        f"mosquitto: {program_of('mosquitto') or 'not installed'}",
        "kafka: the mock cluster of librdkafka",
    ]
