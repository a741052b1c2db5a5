"""What a model takes and answers is told by its columns or arrays, and no value of them is kept."""

import json
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
import polars as pl
import pytest

from heptad.core.errors import InputError
from heptad.experiments.signatures import (
    ModelField,
    ModelSignature,
    dtype_name,
    features,
    fields_of,
    kind_of,
    signature_files,
    signature_of,
)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_tables_tell_their_columns(library: Any) -> None:
    """By the same words, whichever library they are of."""
    table = library({"a": [1.5], "b": [1], "c": [True], "d": ["x"]})
    found = signature_of(table, np.zeros(1))
    kinds = {"a": "number", "b": "integer", "c": "boolean", "d": "text"}
    assert {field.name: field.type for field in found.inputs} == kinds
    assert str(found) == "a number, b integer, c boolean, d text -> float64[-1]"


def test_arrays_tell_types_and_shapes_and_the_rows_are_free() -> None:
    """However they are nested; a single number, as a loss, is no output."""
    nested = {"image": np.zeros((4, 3, 8), np.float32), "more": (np.zeros(4, int), np.zeros((4, 1)))}
    assert [(one.name, one.type, one.shape) for one in fields_of(nested)] == [
        ("image", "float32", [-1, 3, 8]),
        ("more_0", "int64", [-1]),
        ("more_1", "float64", [-1, 1]),
    ]
    assert fields_of({"loss": np.float64(3.0), "cache": object()}) == []


def test_what_tells_nothing_is_refused() -> None:
    """Rather than kept as a signature of nothing."""
    with pytest.raises(InputError, match="says nothing of a model's inputs"):
        signature_of("rows")
    assert signature_files(ModelSignature(), "run-1", "model", 0.0) == {}


def test_features_without_names_are_one_array() -> None:
    """Of one type, or of a type that is not told."""
    assert features(2, None, ["number", "number"]) == [ModelField(type="number", shape=[-1, 2])]
    assert features(2, None, ["number", "text"]) == [ModelField(type="", shape=[-1, 2])]
    assert features(1, ["a"], ["text"]) == [ModelField(name="a", type="text")]


def test_a_line_names_no_more_than_is_read() -> None:
    """Of a thousand columns, the first twenty and how many more."""
    many = ModelSignature(inputs=features(1000, map(str, range(1000)), ["number"] * 1000))
    assert str(many).endswith("19 number and 980 more -> ?")


def test_types_have_one_word_in_all_libraries() -> None:
    """Of columns and of arrays."""
    assert [kind_of(one) for one in (np.dtype("<U5"), pl.Categorical(), "datetime64[ns]", pl.UInt8())] == [
        "text",
        "category",
        "datetime",
        "integer",
    ]
    assert dtype_name(np.dtype("float32")) == "float32"
    assert dtype_name("torch.bfloat16") == "bfloat16"


@pytest.mark.parametrize(
    "signature",
    [
        signature_of(pd.DataFrame({"a": [1.5], "b": ["x"]}), np.zeros((2, 3))),
        signature_of({"ids": np.zeros((2, 7), int), "mask": np.zeros((2, 7), bool)}),
        ModelSignature(inputs=features(2, None, ["", ""]), outputs=[ModelField(type="bfloat16", shape=[-1])]),
        ModelSignature(inputs=features(2, "ab", ["integer", "datetime"]), outputs=features(1, None, ["text"])),
    ],
)
def test_the_stock_client_reads_the_signature(signature: ModelSignature) -> None:
    """Columns or tensors by their names and shapes."""
    about = json.loads(signature_files(signature, "run-1", "model", 0.0)["MLmodel"])
    found = mlflow.models.Model.from_dict(about)
    assert found.signature.inputs.has_input_names() == bool(signature.inputs[0].name)
    if signature.inputs[0].name:
        assert found.signature.inputs.input_names() == [one.name for one in signature.inputs]
    assert found.flavors == {}
