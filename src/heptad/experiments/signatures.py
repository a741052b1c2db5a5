"""What a kept model takes and answers: names, types and shapes, and no value of any row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from heptad.core.errors import InputError
from heptad.core.records import Id

SIGNATURE, ABOUT = "signature.json", "MLmodel"
_KINDS: Final = (
    ("float", "number"),
    ("decimal", "number"),
    ("int", "integer"),
    ("uint", "integer"),
    ("bool", "boolean"),
    ("date", "datetime"),
    ("cat", "category"),
    ("enum", "category"),
    ("str", "text"),
    ("object", "text"),
)
"""How the name of a column's type begins, in pandas, Polars and NumPy, and what that is here."""
MLFLOW_TYPES: Final = {
    "number": "double",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "datetime": "datetime",
    # Whole numbers become floats in pandas where one of them is missing, and MLflow would not take those for `long`.
    "integer": "any",
}
"""The type of a column here, to MLflow's word for it."""
_DTYPES: Final = {"number": "float64", "integer": "int64", "category": "object", "text": "object"}
"""The same for arrays; what is missing is the name that NumPy has."""
_NO_NUMPY: Final = {"bfloat16": "float32"}
_SAID: Final = 20
"""Columns or arrays that the line beside the run names."""


class ModelField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column of a table or, where it has a shape, one array."""

    name: str = ""
    type: str = ""
    """Of a column `number`, `integer`, `boolean`, `category`, `text` or `datetime`; of an array that, or the name of
    its type (`float32`). Empty where the model does not tell."""
    shape: list[int] | None = None
    """Of an array; -1 where any length goes, as along the rows."""


class ModelSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes and answers; empty where it does not tell."""

    inputs: list[ModelField] = []
    outputs: list[ModelField] = []

    def __str__(self) -> str:
        """On one line: `a number, b category -> integer[-1]`."""
        return f"{_listed(self.inputs)} -> {_listed(self.outputs)}"


class WrittenModel(NamedTuple):
    """What a `model_writer` answers: files by name, and what the model itself tells of its inputs and outputs."""

    files: dict[str, bytes]
    signature: ModelSignature = ModelSignature()


def signature_of(inputs: Any, outputs: Any = None) -> ModelSignature:
    """The signature of a model that takes such inputs and gives such outputs; keeps no value of them.

    Either is a table of pandas or Polars, an array (rows, ...) of any library, or a mapping or sequence of such; the
    first axis of an array counts rows and may have any length. Raises `InputError` for inputs that are none of these.

    >>> import numpy as np
    >>> str(signature_of(np.zeros((8, 3))))
    'float64[-1, 3] -> ?'
    """
    found = ModelSignature(inputs=fields_of(inputs), outputs=fields_of(outputs))
    if not found.inputs:
        raise InputError(
            f"A {type(inputs).__qualname__} says nothing of a model's inputs.",
            allowed="a table of pandas or Polars, an array, or a mapping or sequence of arrays",
        )
    return found


def fields_of(values: Any, name: str = "") -> list[ModelField]:
    """The columns of a table, or the arrays among values however nested; what is neither is left out."""
    if hasattr(values, "columns") and hasattr(values, "dtypes"):
        return [
            ModelField(name=str(column), type=kind_of(dtype))
            for column, dtype in zip(values.columns, values.dtypes, strict=True)
        ]
    if isinstance(values, Mapping):
        return [field for key, one in values.items() for field in fields_of(one, str(key))]
    if isinstance(values, list | tuple):
        named = [(f"{name or 'array'}_{place}" if len(values) > 1 else name, one) for place, one in enumerate(values)]
        return [field for own, one in named for field in fields_of(one, own)]
    shape = getattr(values, "shape", None)
    # A single number, as a loss is, is nothing that a row has.
    if not shape or not hasattr(values, "dtype"):
        return []
    dtype = "text" if kind_of(values.dtype) == "text" else dtype_name(values.dtype)
    return [ModelField(name=name, type=dtype, shape=[-1, *(int(n or -1) for n in shape[1:])])]


def features(count: int, names: Iterable[str] | None, types: Sequence[str]) -> list[ModelField]:
    """Inputs of a model of rows: its columns by name, or one array (rows, `count`) where it knows no names."""
    if names is None:
        return [ModelField(type=types[0] if len(set(types)) == 1 else "", shape=[-1, count])]
    return [ModelField(name=str(name), type=one) for name, one in zip(names, types, strict=True)]


def kind_of(dtype: Any) -> str:
    """The type of a column here, by that of pandas, Polars or NumPy; empty where there is none for it."""
    name = dtype_name(dtype).lower()
    return next((kind for beginning, kind in _KINDS if name.startswith(beginning)), "")


def dtype_name(dtype: Any) -> str:
    """`float32` for the type of that name in NumPy, PyTorch, TensorFlow and JAX."""
    name = getattr(dtype, "name", dtype)
    return str(name if isinstance(name, str) else dtype).rsplit(".", 1)[-1]


def signature_files(signature: ModelSignature, run: Id, path: str, at: float) -> dict[str, bytes]:
    """The signature as a record, and for the stock client of MLflow, by which no model is loaded; none of an empty one.

    `at` is in seconds since 1970.
    """
    if not signature.inputs and not signature.outputs:
        return {}
    about = {
        "run_id": run,
        "artifact_path": path,
        "utc_time_created": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "flavors": {},
        "signature": {"inputs": _for_mlflow(signature.inputs), "outputs": _for_mlflow(signature.outputs)},
    }
    record = msgspec.json.format(msgspec.json.encode(signature), indent=2)
    # JSON, which is YAML too.
    return {SIGNATURE: record + b"\n", ABOUT: json.dumps(about, indent=2).encode() + b"\n"}


def _for_mlflow(fields: Sequence[ModelField]) -> str | None:
    """MLflow knows tables or arrays, not both at once, and several arrays by their names."""
    if not fields:
        return None
    if all(field.shape is None for field in fields):
        return json.dumps([{"type": MLFLOW_TYPES.get(one.type, "any"), "name": one.name} for one in fields])
    return json.dumps([_tensor(one) for one in fields])


def _tensor(field: ModelField) -> dict[str, Any]:
    dtype = _NO_NUMPY.get(field.type) or _DTYPES.get(field.type, field.type or "object")
    tensor = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": field.shape or [-1]}}
    return tensor | ({"name": field.name} if field.name else {})


def _listed(fields: Sequence[ModelField]) -> str:
    words = [f"{one.name} {one.type or '?'}{one.shape or ''}".strip() for one in fields[:_SAID]]
    more = len(fields) - len(words)
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "") if words else "?"
