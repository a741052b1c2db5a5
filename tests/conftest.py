"""What nearly every test needs: a clock that stands still and a real workspace in a temporary folder."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from heptad.core.clock import ManualClock
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from tests.adapters.brokers import NATS, answering, program_of
from tests.adapters.conftest import where_redis_is
from tests.adapters.databases.conftest import where_mariadb_is
from tests.core.conftest import where_postgresql_is

# Examples take as long as the machine is busy; that is no failure. Each run looks at the same ones, so that a change
# is judged by what it changes; with --hypothesis-profile=explore each looks at others, and at more.
settings.register_profile("heptad", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=200)
settings.load_profile("heptad")

# Tests start hundreds of processes; each would compile the program anew where no compiled code may be written.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait for servers and processes of their own."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: what is left at the end is shared out best where it is short."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
