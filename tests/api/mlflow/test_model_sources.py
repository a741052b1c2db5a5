"""What a version may be registered from: the run or model that the call names, and no other place of this server."""

import pytest

from heptad.core.workspace import Workspace
from tests.api.mlflow.asking import Asker


@pytest.fixture
def ask(workspace: Workspace) -> Asker:
    asker = Asker(workspace)
    asker("POST", "registered-models/create", name="iris")
    return asker


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "relative/path",
        "file:///etc/passwd",
        "file:/etc",
        "dummy-source",
        "runs:/OTHER/m",
        "runs:/RUN/../OTHER/m",
        "runs://host/RUN/m",
        "mlflow-artifacts:/0/OTHER/artifacts/m",
        "mlflow-artifacts:/0/RUN/artifacts/../../OTHER/artifacts/m",
        "mlflow-artifacts:/0/RUN/artifacts/%2e%2e/m",
        "mlflow-artifacts:/0/RUN/artifacts/%252e%252e/m",
        "mlflow-artifacts:/0/models/MODEL/artifacts/m",
        "http://localhost/api/2.0/mlflow-artifacts/artifacts/0/OTHER/artifacts/m",
        "mlflow-artifacts:/",
        "models:/MODEL",
        "models:/none/1",
        "models:/iris/1/2",
        "models://host/iris/1",
        "models:/iris@none",
        "s3://bucket/../x",
        "s3://bucket/%2e%2e/x",
        "s3://bucket/x%00",
        "s3://[x",
        "https://user:secret@host/x",
        "s3://%5bx",
        "runs:/",
        "models:/",
        "models:/@",
        "x" * 501,
    ],
)
def test_a_source_that_is_not_of_the_run_is_refused(ask: Asker, source: str) -> None:
    """Local paths, other runs, ways out, models that the call does not name."""
    run, other, model = ask.run(), ask.run(), ask.model()
    given = source.replace("OTHER", other).replace("RUN", run).replace("MODEL", model)
    assert ask.refused("POST", "model-versions/create", name="iris", source=given, run_id=run)
    assert "model_versions" in ask("GET", "model-versions/search")
    assert ask("GET", "model-versions/search")["model_versions"] == []


def test_sources_of_the_run_and_of_other_places_are_taken(ask: Asker) -> None:
    """By run, by address, by HTTP address; a bucket is the client's own business."""
    run = ask.run()
    ask.keep(run, "m/f", b"1")
    for source in (
        f"runs:/{run}/m",
        f"mlflow-artifacts:/0/{run}/artifacts/m",
        f"http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/m",
    ):
        made = ask("POST", "model-versions/create", name="iris", source=source, run_id=run)["model_version"]
        assert made["source"] == source
        uri = ask("GET", "model-versions/get-download-uri", f"name=iris&version={made['version']}")["artifact_uri"]
        assert ask.content(f"{uri}/f") == b"1"
    made = ask("POST", "model-versions/create", name="iris", source="s3://bucket/x")["model_version"]
    uri = ask("GET", "model-versions/get-download-uri", f"name=iris&version={made['version']}")["artifact_uri"]
    assert uri == "s3://bucket/x"


@pytest.mark.parametrize("source", ["runs:/nobody/m", "mlflow-artifacts:/0/nobody/artifacts/m", "s3://bucket/x"])
@pytest.mark.parametrize("field", ["run_id", "model_id"])
def test_an_unknown_run_or_model_is_named_as_what_is_wrong(ask: Asker, source: str, field: str) -> None:
    """Not the source, which may be right: a bucket's is taken without the field."""
    said = ask.refused("POST", "model-versions/create", name="iris", source=source, **{field: "nobody"})
    assert said.startswith(f"RESOURCE_DOES_NOT_EXIST: There is no {field[:-3]} 'nobody', which {field} names. Leave")


def test_a_logged_model_brings_its_run_along(ask: Asker) -> None:
    """And its files; the call must name the model."""
    run = ask.run()
    model = ask.model(run)
    ask.keep(model, "MLmodel", b"1", "0/models")
    fields = {"name": "iris", "source": f"models:/{model}"}
    assert "model_id" in ask.refused("POST", "model-versions/create", **fields)
    assert "model_id" in ask.refused("POST", "model-versions/create", **fields, model_id="m-other")
    made = ask("POST", "model-versions/create", **fields, model_id=model)["model_version"]
    assert (made["run_id"], made["model_id"]) == (run, model)


def test_a_version_is_registered_from_another_version(ask: Asker) -> None:
    """By number, alias, stage or `latest`: the same files, and the same run, which the call may not change."""
    run = ask.run()
    ask.keep(run, "m/f", b"1")
    ask("POST", "model-versions/create", name="iris", source=f"runs:/{run}/m", run_id=run)
    ask("POST", "registered-models/alias", name="iris", alias="best", version="1")
    ask("POST", "registered-models/create", name="copy")
    for which in ("models:/iris/1", "models:/iris@best", "models:/iris/latest", "models:/iris/None"):
        made = ask("POST", "model-versions/create", name="copy", source=which)["model_version"]
        assert (made["run_id"], made["source"]) == (run, "models:/iris/1")
    other = ask.run()
    assert "must match" in ask.refused(
        "POST", "model-versions/create", name="copy", source="models:/iris/1", run_id=other
    )
