"""Graphs as converters of other programs write them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper

WEIGHTS = np.array([[0.5, -0.25]], dtype=np.float32)


def classifier(
    labels: Sequence[Any], *, zipped: bool = True, imputed: float | None = None, post: str = "SOFTMAX"
) -> bytes:
    """A linear classifier of two classes on a float matrix `X` of two columns, as converters write them.

    The second label is the likelier, the larger the first column and the smaller the second. With `imputed`, a missing
    value counts as that number.
    """
    kind = "strings" if isinstance(labels[0], str) else "ints"
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["X" if imputed is None else "filled"],
            ["label", "probabilities"],
            domain="ai.onnx.ml",
            coefficients=[*(-WEIGHTS[0]).tolist(), *WEIGHTS[0].tolist()],
            intercepts=[0.25, -0.25],
            post_transform=post,
            **{f"classlabels_{kind}": labels},
        )
    ]
    text = TensorProto.STRING if kind == "strings" else TensorProto.INT64
    found = [helper.make_tensor_value_info("label", text, [None])]
    if zipped:
        name = "classlabels_strings" if kind == "strings" else "classlabels_int64s"
        nodes.append(helper.make_node("ZipMap", ["probabilities"], ["zipped"], domain="ai.onnx.ml", **{name: labels}))
        value = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        key = text
        mapped = helper.make_sequence_type_proto(helper.make_map_type_proto(key, value))
        found.append(helper.make_value_info("zipped", mapped))
    else:
        found.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]))
    if imputed is not None:
        filled = {"imputed_value_floats": [imputed], "replaced_value_float": float("nan")}
        nodes.insert(0, helper.make_node("Imputer", ["X"], ["filled"], domain="ai.onnx.ml", **filled))
    given = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])]
    return saved(nodes, given, found)


def saved(nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Sequence[Any] = ()) -> bytes:
    graph = helper.make_graph(list(nodes), "theirs", list(inputs), list(outputs), list(constants))
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
