"""A small project that was rehearsed once, for all tests that only look at what came of it."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from heptad.lifecycle import Happening, Rehearsed
from heptad.project import Project, open_rehearsal
from tests.core.conftest import postgresql_server, postgresql_store, postgresql_url, store, store_url
from tests.lifecycle.rides import START, make_rides

__all__ = ["postgresql_server", "postgresql_store", "postgresql_url", "store", "store_url"]

WEEKS = 6


@dataclass(frozen=True)
class Played:
    """The project, what was told while it was rehearsed, and what came of it."""

    project: Project
    happenings: list[Happening]
    rehearsed: Rehearsed


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Six weeks of rides; in the first of them the world turns round."""
    folder = make_rides(tmp_path_factory.mktemp("rides"))
    project = open_rehearsal(folder, "", START)
    happenings: list[Happening] = []
    rehearsed = project.rehearse(START, START + timedelta(weeks=WEEKS), singles=12, watch=happenings.append)
    return Played(project, happenings, rehearsed)


@pytest.fixture
def copied(played: Played, tmp_path: Path) -> Project:
    """The rehearsed project in a folder of its own, free to be changed; its last challenger is on trial."""
    folder = Path(shutil.copytree(played.project.root, tmp_path / "rides"))
    return open_rehearsal(folder, "", START)
