"""Step 2 of an empty project, on SQLite."""

import pytest
from tests.core.conftest import postgresql_server, postgresql_url  # noqa: F401 - fixtures

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    """Step 2 of an empty project."""
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
