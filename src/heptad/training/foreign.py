"""A graph that was made elsewhere, given the form of ours: columns in, one matrix of probabilities or numbers out.

Converters write graphs with one matrix in or an input a column, labels beside probabilities, dictionaries of them. What
is told of the graph by itself and by whoever logged it decides which column goes where; nothing is guessed.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from heptad.core.errors import RefusedError, nearest
from heptad.data import Schema
from heptad.training.columns import is_string
from heptad.training.model import WIDEST
from heptad.training.records import Input

_PREFIX = "foreign/"
_OWN = "heptad/"
_OUTPUT = f"{_OWN}output"
_NUMERIC = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL,
}  # fmt: skip
_REAL = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}
_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_WIDE = 1_024
"""Numbers a row that a graph may hold in a tensor somewhere, for want of a better guess: it bounds a batch."""
_LOG_AGAIN = "log it with mlflow.onnx.log_model, with signature = mlflow.models.infer_signature(rows)"


@dataclass(frozen=True)
class Foreign:
    """A graph as it was logged, with its weights, and the columns that the logged signature names, in its order."""

    graph: bytes
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Wiring:
    """Which columns go into a foreign graph and what is taken from it."""

    model: Any
    """The graph, every name of it with a prefix."""
    feeds: Mapping[str, Sequence[str]]
    """Name of each input to the columns that it takes: one, or those of a matrix in their order."""
    output: str
    labels: tuple[str, ...]
    """The classes in the order of the output, as texts, where the graph says them."""
    order: tuple[int, ...] = ()
    """Which column of the output belongs to each class of the schema; empty for a regression."""
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return [name for names in self.feeds.values() for name in names]


def read_foreign(files: Mapping[str, bytes], path: str) -> bytes:
    """The graph at `path` as one file, with weights that lie beside it; raises `RefusedError` where it is none."""
    beside = PurePosixPath(path).parent
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            if PurePosixPath(name).parent == beside:
                (Path(folder) / PurePosixPath(name).name).write_bytes(content)
        try:
            place = Path(folder) / PurePosixPath(path).name
            onnx.checker.check_model(str(place))
            return bytes(onnx.load(place).SerializeToString(deterministic=True))
        except (ValueError, OSError, onnx.checker.ValidationError) as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise RefusedError(f"{path!r} cannot be read as an ONNX graph: {first[:200]}", remedy=_LOG_AGAIN) from error


def wire(foreign: Foreign, schema: Schema) -> Wiring:
    """How the graph is fed from the columns of a schema; raises `RefusedError` that names what does not fit."""
    model = compose.add_prefix(onnx.ModelProto.FromString(foreign.graph), _PREFIX)
    graph = model.graph
    constants = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    features = {one.name: one for one in schema.features()}
    feeds = _feeds(inputs, foreign.columns)
    for value in inputs:
        for name in feeds[value.name]:
            if name not in features:
                raise RefusedError(
                    f"The model takes a column {name!r}, which is no feature of the table that predicts "
                    f"{schema.target!r}.",
                    allowed=nearest(name, list(features), most=30),
                )
            _check_type(features[name], value.type.tensor_type.elem_type)
    output, labels = _answered(graph, schema)
    wiring = Wiring(model, feeds, output, labels)
    return replace(wiring, **_ordered(labels, schema)) if schema.task == "classification" else wiring


def adapted(wiring: Wiring, inputs: Sequence[Input], width: int) -> bytes:
    """The graph in our form, where its output has `width` columns; a single one is the probability of the second class.

    `inputs` are those of the signature, each of shape `(n, 1)`, float64 or string.
    """
    nodes, constants = _fed(wiring, {one.name: one for one in inputs})

    def node(op: str, *taken: str, **attributes: Any) -> str:
        made = f"{_OWN}{op}{len(nodes)}"
        nodes.append(helper.make_node(op, list(taken), [made], **attributes))
        return made

    def constant(values: Any, dtype: Any) -> str:
        name = f"{_OWN}constant{len(constants)}"
        constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    tail = len(nodes)
    real = node("Cast", wiring.output, to=TensorProto.DOUBLE)
    found = node("Reshape", real, constant([-1, width], np.int64))
    if wiring.order and width == 1:
        found = node("Concat", node("Sub", constant([[1.0]], np.float64), found), found, axis=1)
    if wiring.order and tuple(wiring.order) != tuple(range(len(wiring.order))):
        found = node("Gather", found, constant(wiring.order, np.int64), axis=1)
    classes = len(wiring.order) or 1
    nodes.append(helper.make_node("Identity", [found], [_OUTPUT]))
    own = [
        helper.make_tensor_value_info(
            one.name, TensorProto.STRING if is_string(one.type) else TensorProto.DOUBLE, ["n", 1]
        )
        for one in inputs
    ]
    head, after = nodes[:tail], nodes[tail:]
    body = [one for one in wiring.model.graph.node if one.op_type != "ZipMap"]
    graph = helper.make_graph(
        [*head, *body, *after],
        "heptad",
        own,
        [helper.make_tensor_value_info(_OUTPUT, TensorProto.DOUBLE, ["n", classes])],
        [*wiring.model.graph.initializer, *constants],
        sparse_initializer=list(wiring.model.graph.sparse_initializer),
    )
    model = helper.make_model(
        graph,
        opset_imports=list(wiring.model.opset_import),
        functions=list(wiring.model.functions),
        ir_version=wiring.model.ir_version,
        producer_name="heptad",
    )
    helper.set_model_props(model, {WIDEST: str(max(_WIDE, len(inputs), classes))})
    return bytes(model.SerializeToString(deterministic=True))


def _feeds(inputs: Sequence[Any], columns: Sequence[str]) -> dict[str, list[str]]:
    """The columns of each input: of the only one the logged columns, of several the one that it is named after."""
    if len(inputs) > 1:
        return {one.name: [one.name.removeprefix(_PREFIX)] for one in inputs}
    (only,) = inputs
    width = _width(only)
    names = list(columns) or ([only.name.removeprefix(_PREFIX)] if width == 1 else [])
    if not names:
        raise RefusedError(
            "The model takes one matrix, and nothing says which column is which: it was logged without a signature.",
            remedy=_LOG_AGAIN,
        )
    if width not in {None, len(names)}:
        raise RefusedError(
            f"The graph takes {width} columns, and the signature that it was logged with names {len(names)}.",
            remedy=_LOG_AGAIN,
        )
    return {only.name: names}


def _width(value: Any) -> int | None:
    """Columns of an input of shape `(n, width)`; `None` where it is not said."""
    sizes = value.type.tensor_type.shape.dim
    if len(sizes) == 1:
        return 1
    return sizes[1].dim_value if len(sizes) == 2 and sizes[1].HasField("dim_value") else None


def _check_type(column: Any, kind: int) -> None:
    taken = "texts" if kind == TensorProto.STRING else "numbers"
    if kind not in _NUMERIC | {TensorProto.STRING}:
        raise RefusedError(f"The model takes {TensorProto.DataType.Name(kind)} for {column.name!r}.",
                           allowed="numbers or texts")  # fmt: skip
    if column.type == "datetime":
        raise RefusedError(
            f"{column.name!r} is a moment, and graphs of other programs take none.",
            remedy=f"take the parts that the model needs out of {column.name!r} in [data] function",
        )
    if is_string(column.type) != (kind == TensorProto.STRING):
        raise RefusedError(
            f"{column.name!r} is a {column.type}, and the model takes {taken} there.",
            remedy="log the whole pipeline, with what prepares the columns, and not its last part alone",
        )


def _answered(graph: Any, schema: Schema) -> tuple[str, tuple[str, ...]]:
    """The value that holds probabilities or numbers, and the classes that the graph names."""
    outputs = {one.name: one for one in graph.output}
    by_output = {name: node for node in graph.node for name in node.output}
    for name in outputs:
        made = by_output.get(name)
        if made is not None and made.op_type == "ZipMap" and schema.task == "classification":
            return made.input[0], _labels_of([made])
    real = [name for name, one in outputs.items() if one.type.tensor_type.elem_type in _REAL]
    if not real:
        raise RefusedError(
            f"The model has no output of {'probabilities' if schema.task == 'classification' else 'numbers'}: "
            f"its outputs are {', '.join(name.removeprefix(_PREFIX) for name in outputs)}.",
            remedy="export it with probabilities, not with labels alone",
        )
    taken = [name for name in real if "prob" in name.removeprefix(_PREFIX).lower()] or real
    if len(taken) > 1:
        raise RefusedError(
            f"The model has several outputs of numbers: {', '.join(name.removeprefix(_PREFIX) for name in taken)}.",
            remedy="export it with the one that answers, or call that one 'probabilities'",
        )
    return taken[0], _labels_of(graph.node) or _labels_in(graph)


def _labels_of(nodes: Sequence[Any]) -> tuple[str, ...]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in _LABELS:
                values = helper.get_attribute_value(attribute)
                if values:
                    return tuple(one.decode() if isinstance(one, bytes) else str(one) for one in values)
    return ()


def _labels_in(graph: Any) -> tuple[str, ...]:
    """The classes that converters of scikit-learn keep as a constant."""
    for one in graph.initializer:
        if one.name.removeprefix(_PREFIX) == "classes":
            values = numpy_helper.to_array(one).ravel().tolist()
            return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in values)
    return ()


def _ordered(labels: Sequence[str], schema: Schema) -> dict[str, Any]:
    """The order of the classes, and what had to be assumed for it."""
    classes, count = list(schema.classes), len(schema.classes)
    if sorted(labels) == sorted(classes):
        return {"order": tuple(labels.index(one) for one in classes)}
    if not labels or [*labels] == [str(number) for number in range(count)]:
        said = f"{', '.join(classes)} in this order"
        return {
            "order": tuple(range(count)),
            "notes": (f"The model names no classes of the data; its answers are taken for {said}.",),
        }
    raise RefusedError(
        f"The model answers {', '.join(map(repr, labels))}, and the classes of {schema.target!r} are others.",
        allowed=", ".join(classes),
    )


def _fed(wiring: Wiring, inputs: Mapping[str, Input]) -> tuple[list[Any], list[Any]]:
    """Nodes and constants that make the inputs of the foreign graph out of columns."""
    nodes: list[Any] = []
    flat = f"{_OWN}flat"
    constants = [numpy_helper.from_array(np.array([-1], dtype=np.int64), flat)]
    for value in (one for one in wiring.model.graph.input if one.name in wiring.feeds):
        kind, names = value.type.tensor_type.elem_type, wiring.feeds[value.name]
        parts = []
        for name in names:
            part = name
            if not is_string(inputs[name].type):
                part = f"{_OWN}cast{len(nodes)}"
                nodes.append(helper.make_node("Cast", [name], [part], to=kind))
            parts.append(part)
        if len(value.type.tensor_type.shape.dim) == 1:
            nodes.append(helper.make_node("Reshape", [parts[0], flat], [value.name]))
        else:
            nodes.append(helper.make_node("Concat", parts, [value.name], axis=1))
    return nodes, constants
