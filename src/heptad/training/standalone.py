"""Answers rows of a data frame as `OnnxModel` does, with NumPy and ONNX Runtime alone.

A copy of this file lies beside the graph and the signature of each version that clients of MLflow download, so that
such a model is loaded where Heptad is not installed. So it imports nothing of ours. Frames are those of pandas.
"""

import json
import math
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

GRAPH, SIGNATURE = "model.onnx", "signature.json"
_MISSING_IN_PANDAS = frozenset({"NAType", "NaTType"})
_MISSING_CATEGORY = "\uffff"
_BATCH_ROWS = 10_000
_FARTHEST = 80


class StandaloneModel:
    """The model in a folder that holds its graph and its signature."""

    def __init__(self, folder: Path) -> None:
        self._signature: dict[str, Any] = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
        if self._signature.get("cleaned"):
            warnings.warn(
                "This version has rules of [clean], which are applied to rows by the server of Heptad only: "
                "clean rows yourself before you hand them to this model, or ask the server.",
                stacklevel=2,
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # as the server has it: sums are added up in the same order
        self._session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        self._output = self._session.get_outputs()[0].name

    def predict(self, data: Any, params: object = None) -> Any:  # noqa: ARG002 - MLflow hands over parameters
        """A frame of `label` and `score`, and `probability.CLASS` for each class, with the index of `data`.

        A column that is left out, and a value that is missing or infinite, count as not known. Raises `ValueError`
        that names the column for a value of the wrong type, a missing value where one is required, and a category
        outside of a closed set.
        """
        feeds = {column["name"]: _read(data, column) for column in self._signature["inputs"]}
        inputs = [one.name for one in self._session.get_inputs()]
        starts = range(0, max(1, len(data)), _BATCH_ROWS)
        parts = [
            self._session.run([self._output], {name: feeds[name][start : start + _BATCH_ROWS] for name in inputs})[0]
            for start in starts
        ]
        return type(data)(self._answers(np.concatenate(parts)), index=data.index)

    def _answers(self, output: Any) -> dict[str, Any]:
        classes = self._signature.get("classes", [])
        if not classes:
            return {"label": output[:, 0], "score": output[:, 0]}
        if len(classes) == 2:
            given = self._signature.get("threshold")
            chosen = (output[:, 1] >= (0.5 if given is None else given)).astype(int)
            scores = output[:, 1]
        else:
            chosen = output.argmax(axis=1)
            scores = output.max(axis=1)
        answers = {"label": [classes[number] for number in chosen.tolist()], "score": scores}
        return answers | {f"probability.{name}": output[:, place] for place, name in enumerate(classes)}


def _load_pyfunc(path: str) -> StandaloneModel:
    """What MLflow calls to load the model in a folder."""
    return StandaloneModel(Path(path))


def _read(data: Any, column: dict[str, Any]) -> Any:
    """The array `(n, 1)` of a column."""
    name, read = column["name"], _READERS[column["type"]]
    known = frozenset(column["categories"]) if column.get("closed") and column.get("categories") is not None else None
    values = data[name].tolist() if name in data.columns else [None] * len(data)
    found = []
    for given in values:
        value = given.item() if isinstance(given, np.generic) else given
        is_missing = value is None or type(value).__name__ in _MISSING_IN_PANDAS or _is_nan(value)
        if (is_missing and column.get("required")) or (known is not None and not is_missing and value not in known):
            raise ValueError(f"{name!r} cannot be {ascii(value)[:_FARTHEST]}: the schema of the model refuses it.")
        try:
            found.append(read(None if is_missing else value))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{name!r} cannot be {ascii(value)[:_FARTHEST]}: it is a {column['type']}.") from None
    return np.array(found, dtype=object if column["type"] in {"category", "text"} else float).reshape(-1, 1)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value) if math.isfinite(value) else math.nan


def _integer(value: Any) -> float:
    number = _number(value)
    if not (math.isnan(number) or number.is_integer()):
        raise ValueError
    return number


def _boolean(value: Any) -> float:
    if value is not None and value not in {False, True}:
        raise TypeError
    return math.nan if value is None else float(value)


def _moment(value: Any) -> float:
    """Seconds since 1970, UTC; a moment without a zone is UTC."""
    if value is None:
        return math.nan
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return float((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) / 1e6


def _text(value: Any, missing: str = "") -> str:
    if isinstance(value, int):
        return str(value).lower()  # as in JSON
    if value is not None and not isinstance(value, str):
        raise TypeError
    return missing if value is None else value


def _category(value: Any) -> str:
    return _text(value, _MISSING_CATEGORY)


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "datetime": _moment,
    "category": _category,
    "text": _text,
}
