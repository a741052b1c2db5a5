"""The files by which MLflow knows a model: readable, complete, and made of made-up rows only."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from tests.release.conftest import House, Tiny

from heptad.release.golden import golden_rows
from heptad.release.mlflow_model import CLEANED, mlflow_files
from heptad.training import Input, Signature

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def made(tiny: Tiny, **more: Any) -> dict[str, bytes]:
    rows = golden_rows(tiny.background, tiny.signature)
    return mlflow_files(tiny.signature, rows, b"# code", run="run-1", made_at=AT, is_cleaned=False, **more)


def test_the_description_names_flavours_signature_and_example(tiny: Tiny) -> None:
    """It is YAML, as MLflow reads it, and every file that it names is there."""
    files = made(tiny)
    about = yaml.safe_load(files["MLmodel"])
    assert about["run_id"] == "run-1"
    assert about["flavors"]["onnx"]["data"] == "model.onnx"
    function = about["flavors"]["python_function"]
    assert f"{function['code']}/{function['loader_module']}.py" in files
    assert function["env"]["virtualenv"] in files
    assert about["saved_input_example_info"]["artifact_path"] in files
    inputs = json.loads(about["signature"]["inputs"])
    assert [(one["name"], one["type"], one["required"]) for one in inputs] == [
        ("x", "double", False),
        ("colour", "string", False),
    ]
    outputs = [one["name"] for one in json.loads(about["signature"]["outputs"])]
    assert outputs == ["label", "score", "probability.no", "probability.yes"]
    assert not [name for name in files if name.endswith((".pkl", ".pickle"))]


def test_the_example_holds_columns_in_order_and_moments_without_a_zone() -> None:
    """MLflow refuses moments with one."""
    signature = Signature(
        inputs=[Input(name="b", type="datetime"), Input(name="a", type="integer", required=True)],
        task="regression",
        target="y",
    )
    rows = [{"a": 1, "b": "2026-01-01T00:00:00Z"}, {"a": 2, "b": None}]
    files = mlflow_files(signature, rows, b"# code", run="run-1", made_at=AT, is_cleaned=True)
    example = json.loads(files["input_example.json"])
    assert example == {"columns": ["b", "a"], "data": [["2026-01-01T00:00:00", 1], [None, 2]]}
    about = json.loads(files["MLmodel"])
    assert about["metadata"] == {CLEANED: True}
    assert json.loads(files["signature.json"])["cleaned"] is True
    assert [one["name"] for one in json.loads(about["signature"]["outputs"])] == ["label", "score"]


def test_a_registered_version_keeps_them(house: House) -> None:
    """As artifacts that its record names, so that they are not taken for garbage."""
    release = house.with_gates("roc_auc >= 0.5")
    version = release.register(house.good, release.decide(house.good))
    assert {"MLmodel", "signature.json", "input_example.json"} <= set(version.body.files)
    about = json.loads(house.workspace.blobs.get(version.body.files["MLmodel"]))
    assert about["run_id"] == version.body.run == house.good.body.run


@pytest.mark.parametrize("name", ["MLmodel", "input_example.json"])
def test_equal_models_have_equal_files(tiny: Tiny, name: str) -> None:
    """Nothing of the moment or of the machine's order gets in."""
    assert made(tiny)[name] == made(tiny)[name]
