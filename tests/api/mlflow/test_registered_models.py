"""Registered models: names, descriptions, tags, aliases, renaming, searches; and this project's own among them."""

import pytest

from heptad.core.workspace import Workspace
from heptad.release import ModelVersion
from heptad.release.registry import Registry
from tests.api.conftest import Web
from tests.api.mlflow.asking import Asker, with_client


@pytest.fixture
def ask(workspace: Workspace) -> Asker:
    return Asker(workspace)


def names(ask: Asker, query: str = "") -> list[str]:
    return [one["name"] for one in ask("GET", "registered-models/search", query)["registered_models"]]


def test_a_name_is_given_once(ask: Asker) -> None:
    """Taken until it is given up; then it can be given again, with numbers from 1."""
    ask("POST", "registered-models/create", name="iris", description="first", tags=[{"key": "a", "value": "b"}])
    assert "RESOURCE_ALREADY_EXISTS" in ask.refused("POST", "registered-models/create", name="iris")
    shown = ask("GET", "registered-models/get", "name=iris")["registered_model"]
    assert (shown["description"], shown["tags"]) == ("first", [{"key": "a", "value": "b"}])
    ask("DELETE", "registered-models/delete", name="iris")
    assert "NotFoundError" in ask.refused("GET", "registered-models/get", "name=iris")
    again = ask("POST", "registered-models/create", name="iris")["registered_model"]
    assert "description" not in again
    assert again["latest_versions"] == []


def test_a_model_is_renamed_with_its_versions(ask: Asker) -> None:
    """And the old name is free; a name that is taken is not taken over."""
    run = ask.run()
    ask.keep(run, "m/f")
    for name in ("one", "two"):
        ask("POST", "registered-models/create", name=name)
    ask("POST", "model-versions/create", name="one", source=f"runs:/{run}/m", run_id=run)
    ask("POST", "registered-models/alias", name="one", alias="best", version="1")
    assert "RESOURCE_ALREADY_EXISTS" in ask.refused("POST", "registered-models/rename", name="one", new_name="two")
    ask("POST", "registered-models/rename", name="one", new_name="three")
    assert ask("GET", "model-versions/get", "name=three&version=1")["model_version"]["name"] == "three"
    assert ask("GET", "registered-models/alias", "name=three&alias=best")["model_version"]["version"] == "1"
    assert names(ask) == ["three", "two"]
    ask("POST", "registered-models/create", name="one")


def test_searches_filter_order_and_page(ask: Asker) -> None:
    """Names alike, tags, either direction, page by page."""
    for name in ("b1", "a2", "B3"):
        ask("POST", "registered-models/create", name=name, tags=[{"key": "size", "value": name[1]}])
    assert names(ask, "filter=name LIKE 'b%25'") == ["b1"]
    assert names(ask, "filter=name ILIKE 'b%25'") == ["B3", "b1"]
    assert names(ask, "filter=tags.size = '2'") == ["a2"]
    prompt = "filter=tag.`mlflow.prompt.is_prompt` != 'true'&order_by=name DESC&max_results=2"
    assert names(ask, prompt) == ["b1", "a2"]
    first = ask("GET", "registered-models/search", prompt)
    assert names(ask, f"{prompt}&page_token={first['next_page_token']}") == ["B3"]


@pytest.mark.parametrize(
    ("method", "path", "query", "fields"),
    [
        ("POST", "registered-models/create", "", {"name": ""}),
        ("POST", "registered-models/create", "", {"name": "a/b"}),
        ("POST", "registered-models/create", "", {"name": "a:b"}),
        ("POST", "registered-models/create", "", {"name": "x" * 251}),
        ("POST", "registered-models/create", "", {"name": 7}),
        ("POST", "registered-models/create", "", {"name": "nul\0"}),
        ("POST", "registered-models/create", "", {"name": "half \ud800"}),
        ("POST", "registered-models/create", "", {"name": "x", "tags": [{"key": "", "value": ""}]}),
        ("POST", "registered-models/create", "", {"name": "x", "tags": [{"key": "k" * 251}]}),
        ("POST", "registered-models/rename", "", {"name": "iris"}),
        ("POST", "registered-models/rename", "", {"name": "iris", "new_name": "a/b"}),
        ("PATCH", "registered-models/update", "", {"name": "none", "description": "x"}),
        ("DELETE", "registered-models/delete", "", {"name": "none"}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "latest", "version": "1"}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "v1", "version": "1"}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "a b", "version": "1"}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "a", "version": "9"}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "a", "version": "9" * 99}),
        ("POST", "registered-models/alias", "", {"name": "iris", "alias": "a", "version": "x"}),
        ("GET", "registered-models/alias", "name=iris&alias=none", {}),
        ("GET", "registered-models/alias", "name=iris&alias=", {}),
        ("GET", "registered-models/search", "max_results=0", {}),
        ("GET", "registered-models/search", "max_results=1001", {}),
        ("GET", "registered-models/search", "filter=name", {}),
        ("GET", "registered-models/search", "filter=other = 'x'", {}),
        ("GET", "registered-models/search", "order_by=other", {}),
        ("GET", "registered-models/search", "page_token=none", {}),
        ("GET", "registered-models/get-latest-versions", "name=iris&stages=Nowhere", {}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    ask: Asker, method: str, path: str, query: str, fields: dict[str, object]
) -> None:
    """It is the client's mistake, said so, and nothing is written."""
    ask("POST", "registered-models/create", name="iris")
    assert ask.refused(method, path, query, **fields)
    assert names(ask) == ["iris"]


def test_prompts_are_not_offered(ask: Asker) -> None:
    """The tag that makes one is refused, and the words say so."""
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    said = ask.refused("POST", "registered-models/create", name="p", tags=tags)
    assert said.startswith("ENDPOINT_NOT_FOUND: Heptad does not offer prompts")


def test_versions_out_of_the_gates_are_registered_models_too(ask: Asker) -> None:
    """Listed with their aliases; what the loop and people decide, a client cannot change."""
    version = ModelVersion(
        name="flights",
        version=0,
        package="f" * 64,
        candidate="candidate-a",
        decision="decision-a",
        estimator="linear",
        metric="auc",
    )
    registry = Registry(ask.workspace, "flights")
    registry.add(version, [])
    registry.promote("1", "It is the first one.")
    shown = ask("GET", "registered-models/get", "name=flights")["registered_model"]
    assert shown["aliases"] == [{"alias": "champion", "version": "1"}]
    assert [one["version"] for one in shown["latest_versions"]] == ["1"]
    assert names(ask) == ["flights"]
    ask("POST", "registered-models/alias", name="flights", alias="mine", version="1")
    assert ask("GET", "registered-models/alias", "name=flights&alias=mine")["model_version"]["version"] == "1"
    assert "heptad release promote" in ask.refused(
        "POST", "registered-models/alias", name="flights", alias="champion", version="1"
    )
    for method, path, fields in (
        ("POST", "registered-models/rename", {"new_name": "x"}),
        ("DELETE", "registered-models/delete", {}),
        ("DELETE", "model-versions/delete", {"version": "1"}),
        ("DELETE", "registered-models/alias", {"alias": "champion"}),
        ("POST", "model-versions/create", {"source": "s3://bucket/x"}),
    ):
        assert "RefusedError" in ask.refused(method, path, name="flights", **fields)
    assert registry.find("champion").body.version == 1


CLIENT = """
import mlflow
client = mlflow.MlflowClient()
name = "iris SUFFIX"
with mlflow.start_run() as run:
    mlflow.log_text("not a model", "model/MLmodel")
client.create_registered_model(name, tags={"a": "b"}, description="d")
one = client.create_model_version(name, f"runs:/{run.info.run_id}/model", run.info.run_id, tags={"x": "y"})
two = client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
assert (one.version, two.version) == ("1", "2")
client.update_registered_model(name, "e"); client.update_model_version(name, "1", "f")
client.set_registered_model_tag(name, "t", "u"); client.delete_registered_model_tag(name, "a")
client.set_model_version_tag(name, "1", "v", "w"); client.delete_model_version_tag(name, "1", "x")
client.set_registered_model_alias(name, "best", "1")
model, version = client.get_registered_model(name), client.get_model_version_by_alias(name, "best")
assert (model.description, model.tags, model.aliases) == ("e", {"t": "u"}, {"best": "1"})
assert (version.version, version.description, version.tags, version.aliases) == ("1", "f", {"v": "w"}, ["best"])
client.transition_model_version_stage(name, "1", "Production")
client.transition_model_version_stage(name, "2", "production", archive_existing_versions=True)
stages = {one.version: one.current_stage for one in client.get_latest_versions(name)}
assert stages == {"1": "Archived", "2": "Production"}
found = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"])
assert [one.version for one in found] == ["2", "1"]
assert [one.name for one in client.search_registered_models(f"name = '{name}'")] == [name]
place = mlflow.artifacts.download_artifacts(f"models:/{name}/1")
assert open(place + "/MLmodel").read() == "not a model"
assert mlflow.artifacts.download_artifacts(f"models:/{name}@best")
client.delete_registered_model_alias(name, "best")
client.rename_registered_model(name, name + "!"); name += "!"
copied = client.copy_model_version(f"models:/{name}/1", name + "copy")
assert open(mlflow.artifacts.download_artifacts(f"models:/{name}copy/1") + "/MLmodel").read() == "not a model"
client.delete_model_version(name, "1")
try:
    client.get_model_version(name, "1")
except mlflow.exceptions.MlflowException as error:
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST"
client.delete_registered_model(name)
print("done")
"""


@pytest.mark.slow
def test_the_stock_client_keeps_a_registry(web: Web, request: pytest.FixtureRequest) -> None:
    """Every call of its registry, but for prompts and webhooks."""
    script = CLIENT.replace("SUFFIX", request.node.name[-8:-1])
    assert with_client(web.server.port, script).endswith("done\n")
