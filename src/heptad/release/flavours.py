"""What a client has logged as a model: which of its files is a graph that can be served, and the columns it takes."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec
import yaml

from heptad.core.errors import RefusedError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.release.mlflow_model import ABOUT
from heptad.release.records import ModelVersion
from heptad.release.registry import label_of
from heptad.training import Foreign, read_foreign

_LARGEST = 1 << 20
_LARGEST_GRAPH = 1 << 30
"""Bytes of a graph with its weights, as a package may hold them."""
_AS_ONNX = "log it with mlflow.onnx.log_model (skl2onnx converts scikit-learn), or retrain it by the loop: heptad run"


def logged_graph(workspace: Workspace, version: Record[ModelVersion]) -> Foreign:
    """The ONNX graph of an external version, never opening anything else; raises `RefusedError` where it has none."""
    files, label = version.body.files, label_of(version)
    if not files:
        raise RefusedError(
            f"{label} has no files of its own: it was registered before they were logged, or lies elsewhere.",
            remedy="register it again, now that its files are there",
        )
    about = _about(workspace, files, label)
    path = _graph_of(about, files, label)
    beside = {name: one for name, one in files.items() if PurePosixPath(name).parent == PurePosixPath(path).parent}
    size = sum(map(workspace.blobs.size, beside.values()))
    if size > _LARGEST_GRAPH:
        raise RefusedError(f"The graph of {label} has {size:,} bytes.", allowed=f"at most {_LARGEST_GRAPH:,}")
    graph = read_foreign({name: workspace.blobs.get(digest) for name, digest in beside.items()}, path)
    return Foreign(graph, _columns_of(about))


def _about(workspace: Workspace, files: Mapping[str, str], label: str) -> Mapping[str, Any]:
    """What `MLmodel` says, nothing where there is no such file."""
    digest = files.get(ABOUT)
    if digest is None:
        return {}
    if workspace.blobs.size(digest) > _LARGEST:
        raise RefusedError(f"The file {ABOUT} of {label} has more than {_LARGEST:,} bytes.")
    try:
        found = yaml.safe_load(workspace.blobs.get(digest))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(f"The file {ABOUT} of {label} cannot be read: it is no YAML.", remedy=_AS_ONNX) from error
    return found if isinstance(found, dict) else {}


def _graph_of(about: Mapping[str, Any], files: Mapping[str, str], label: str) -> str:
    flavors = about.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    if flavors and "onnx" not in flavors:
        names = ", ".join(str(one) for one in flavors if one != "python_function") or "python_function"
        raise RefusedError(
            f"{label} is a model of {names}: opening its files would run what is in them, which Heptad never does. "
            "Only an ONNX graph can pass the gates.",
            remedy=_AS_ONNX,
        )
    graphs = [name for name in files if name.endswith(".onnx")]
    described = flavors.get("onnx")
    path = described.get("data") if isinstance(described, dict) else graphs[0] if len(graphs) == 1 else None
    if not isinstance(path, str) or path not in files:
        raise RefusedError(
            f"{label} holds no ONNX graph" + (f" named {path!r}." if path else ", or more than one."),
            allowed=", ".join(sorted(graphs)[:5]),
            remedy=_AS_ONNX,
        )
    return path


def _columns_of(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of the logged signature in their order; none where it has tensors, or there is none."""
    signature = about.get("signature")
    inputs = signature.get("inputs") if isinstance(signature, dict) else None
    try:
        columns = msgspec.json.decode(inputs) if isinstance(inputs, str) else []
    except msgspec.DecodeError:
        return ()
    described = [one for one in columns if isinstance(one, dict) and one.get("type") != "tensor"]
    names = [one["name"] if isinstance(one.get("name"), str) else None for one in described]
    return tuple(name for name in names if name) if all(names) else ()
