"""Writes an ONNX graph: columns in, one float64 matrix out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from heptad.core.records import digest_of
from heptad.training.columns import Array, is_string
from heptad.training.model import WIDEST
from heptad.training.records import Input

ML = "ai.onnx.ml"
MICROSOFT = "com.microsoft"
_OPSETS = [("", 20), (ML, 5), (MICROSOFT, 1)]
_IR_VERSION = 10
"""The first that knows `TreeEnsemble` of ai.onnx.ml 5."""


class GraphWriter:
    """A graph while it is written: nodes are appended, each answers the name of its output.

    One input of shape `(n, 1)` a column, named like it. Everything inside is called `heptad:` and a number.
    """

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = list(inputs)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._widest = 1
        self._prefix = "heptad:"
        while any(column.name.startswith(self._prefix) for column in inputs):
            self._prefix += ":"

    def node(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output."""
        name = self._name()
        self._nodes.append(helper.make_node(op, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, values: Any, dtype: type = np.float64) -> str:
        """A tensor that belongs to the graph; numbers unless `dtype` says otherwise."""
        name = self._name()
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def concat(self, parts: Sequence[str]) -> str:
        """Matrices side by side."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def pick(self, matrix: str, columns: Sequence[int]) -> str:
        """Some columns of a matrix, in the order asked."""
        return self.node("Gather", matrix, self.constant(columns, np.int64), axis=1)

    def as_numbers(self, matrix: str) -> str:
        return self.node("Cast", matrix, to=TensorProto.DOUBLE)

    def reserve(self, values: int) -> None:
        """Say that some tensor holds this many numbers a row, so that batches are made small enough."""
        self._widest = max(self._widest, values)

    def finish(self, output: str, width: int | None) -> bytes:
        """The graph with `output` as its only one: a matrix of `width` columns, or any number of strings a row."""
        self.reserve(width or 1)
        model = helper.make_model(
            self._graph(output, width),
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in _OPSETS],
            ir_version=_IR_VERSION,
            producer_name="heptad",
        )
        helper.set_model_props(model, {WIDEST: str(self._widest)})
        return bytes(model.SerializeToString(deterministic=True))

    def _graph(self, output: str, width: int | None) -> Any:
        inputs = [
            helper.make_tensor_value_info(
                column.name, TensorProto.STRING if is_string(column.type) else TensorProto.DOUBLE, ["n", 1]
            )
            for column in self.inputs
        ]
        kind = TensorProto.STRING if width is None else TensorProto.DOUBLE
        outputs = [helper.make_tensor_value_info(output, kind, ["n", width or "strings"])]
        return helper.make_graph(self._nodes, "heptad", inputs, outputs, self._constants)

    def _name(self) -> str:
        return f"{self._prefix}{len(self._nodes) + len(self._constants)}"


def doubles(values: Array | Sequence[float]) -> Any:
    """A float64 tensor, as an attribute of a node takes it."""
    return numpy_helper.from_array(np.asarray(values, dtype=np.float64))


def bytes_tensor(values: Array | Sequence[int]) -> Any:
    """A tensor of small whole numbers, as an attribute of a node takes it."""
    return numpy_helper.from_array(np.asarray(values, dtype=np.uint8))


def strings(values: Sequence[str]) -> Any:
    """A tensor of strings, as an attribute of a node takes it."""
    return numpy_helper.from_array(np.array(values, dtype=object))


def digest_of_numbers(graph: bytes) -> str:
    """Digest of everything a graph computes with: equal models have equal digests, whoever wrote them and when."""
    model = ModelProto.FromString(graph)
    return digest_of(model.graph.SerializeToString(deterministic=True))
