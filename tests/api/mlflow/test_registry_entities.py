"""What the protocol shows of versions of ours."""

from heptad.api.mlflow.registry_entities import model_entity, version_entity
from heptad.core.workspace import Workspace
from heptad.release import Models, ModelVersion, Versions
from heptad.release.registry import Registry


def test_a_version_of_ours_is_shown_also_before_it_was_adopted(workspace: Workspace) -> None:
    """Its times are those of its record, its actor the one who registered it; `latest` is no alias for a client."""
    version = Registry(workspace, "m").add(ModelVersion(name="m", version=0, candidate="candidate-a"), [])
    shown = version_entity(version)
    assert (shown["name"], shown["version"], shown["aliases"], shown["current_stage"]) == ("m", "1", [], "None")
    assert shown["creation_timestamp"] == int(version.at.timestamp() * 1000)
    model = Models(workspace).get("m")
    entity = model_entity(Versions(workspace), model)
    assert [one["version"] for one in entity["latest_versions"]] == ["1"]
    assert "description" not in entity
