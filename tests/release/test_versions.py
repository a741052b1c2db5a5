"""Versions that clients register: numbered like ours, and kept away from what answers."""

import pytest

from heptad.core.errors import InputError, NotFoundError, RefusedError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.release import Models, ModelVersion, Versions, check_gated, external_facts, find_version, newest_versions


@pytest.fixture
def versions(workspace: Workspace) -> Versions:
    Models(workspace).create("iris", "", {})
    return Versions(workspace)


def added(versions: Versions) -> Record[ModelVersion]:
    body = ModelVersion(name="iris", version=0, origin="external", source="s3://bucket/x", files={"a": "f" * 64})
    return versions.add(body, "", {})


def test_versions_are_numbered_and_the_newest_of_each_stage_is_known(versions: Versions, workspace: Workspace) -> None:
    """Without a gap."""
    assert [added(versions).body.version for _ in range(3)] == [1, 2, 3]
    versions.stage("iris", 1, "STAGING")
    latest = versions.latest(Models(workspace).get("iris"))
    assert [(one.body.version, one.attributes["stage"]) for one in latest] == [(3, "None"), (1, "Staging")]


def test_an_alias_points_at_one_version_and_goes_with_it(versions: Versions, workspace: Workspace) -> None:
    """Moved, taken away, or hidden with its version."""
    added(versions)
    added(versions)
    versions.set_alias("iris", "best", 1)
    versions.set_alias("iris", "best", 2)
    assert versions.named("iris", "best").body.version == 2
    assert versions.aliases(Models(workspace).get("iris")) == {"best": 2}
    versions.delete("iris", 2)
    assert versions.aliases(Models(workspace).get("iris")) == {}
    with pytest.raises(InputError, match="not found"):
        versions.named("iris", "best")
    with pytest.raises(NotFoundError):
        versions.set_alias("iris", "best", 2)


def test_a_version_of_a_client_is_listed_and_never_deployed(versions: Versions, workspace: Workspace) -> None:
    """What is known of it says so; who wants to deploy it is told why not."""
    version = added(versions)
    Models(workspace).rename("iris", "flower")
    version = find_version(workspace, "flower@1")
    assert [one.id for one in newest_versions(workspace, 10)] == [version.id]
    facts = dict(external_facts(version))
    assert facts["version"].startswith("flower@1 ")
    assert "no gate has seen it" in facts["status"]
    with pytest.raises(RefusedError, match="flower@1 was registered by a client and has not passed the gates"):
        check_gated(version)
