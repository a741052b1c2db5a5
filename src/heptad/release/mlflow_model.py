"""The files that make a version a model of MLflow: its stock client loads it by them, and nothing is pickled."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version as version_of
from typing import Any

import msgspec

from heptad.core.records import Id, canonical_json
from heptad.experiments import MLFLOW_TYPES
from heptad.training import Input, Signature

MODEL, ABOUT = "model.onnx", "MLmodel"
_CODE, _MODULE = "code", "heptad_standalone"
_EXAMPLE, _REQUIREMENTS, _ENVIRONMENT = "input_example.json", "requirements.txt", "python_env.yaml"
CLEANED = "heptad.rows_are_cleaned"
"""Entry of the metadata, where rows are cleaned before the model takes them."""
_EXAMPLES = 5


def mlflow_files(
    signature: Signature,
    golden: Sequence[Mapping[str, Any]],
    module: bytes,
    *,
    run: Id,
    made_at: datetime,
    is_cleaned: bool,
) -> dict[str, bytes]:
    """Name and content of each file but the graph; the first of the golden rows are the example.

    `module` is the source of what answers rows where Heptad is not installed.
    `is_cleaned`: the version has rules that clean a row before the model takes it, which only our server applies.
    """
    columns = signature.inputs
    data = [[_shown(row[one.name], one) for one in columns] for row in golden[:_EXAMPLES]]
    example = {"columns": [one.name for one in columns], "data": data}
    requirements = ["mlflow", "numpy", "pandas", f"onnxruntime=={version_of('onnxruntime')}"]
    python = {"python": platform.python_version(), "build_dependencies": ["pip"]}
    return {
        ABOUT: _pretty(_about(signature, run, made_at) | ({"metadata": {CLEANED: True}} if is_cleaned else {})),
        "signature.json": canonical_json({**msgspec.to_builtins(signature), "cleaned": is_cleaned}),
        f"{_CODE}/{_MODULE}.py": module,
        _EXAMPLE: canonical_json(example),
        _REQUIREMENTS: "".join(f"{one}\n" for one in requirements).encode(),
        _ENVIRONMENT: _pretty({**python, "dependencies": [f"-r {_REQUIREMENTS}"]}),
    }


def _about(signature: Signature, run: Id, made_at: datetime) -> dict[str, Any]:
    return {
        "run_id": run,
        "utc_time_created": made_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "flavors": {
            "onnx": {
                "data": MODEL,
                "onnx_version": version_of("onnx"),
                "onnxruntime_version": version_of("onnxruntime"),
                "providers": ["CPUExecutionProvider"],
                "code": None,
            },
            "python_function": {
                "loader_module": _MODULE,
                "code": _CODE,
                "env": {"virtualenv": _ENVIRONMENT},
                "python_version": platform.python_version(),
            },
        },
        "signature": {
            "inputs": json.dumps([_column(one) for one in signature.inputs]),
            "outputs": json.dumps(_outputs(signature)),
            "params": None,
        },
        "saved_input_example_info": {"artifact_path": _EXAMPLE, "type": "dataframe", "pandas_orient": "split"},
    }


def _shown(value: Any, column: Input) -> Any:
    """MLflow takes moments without a zone only; ours are UTC then."""
    return value.removesuffix("Z") if column.type == "datetime" and isinstance(value, str) else value


def _column(column: Input) -> dict[str, Any]:
    # MLflow's `required` is about columns, and here a column that is left out is missing in every row.
    return {"type": MLFLOW_TYPES[column.type], "name": column.name, "required": column.required}


def _outputs(signature: Signature) -> list[dict[str, Any]]:
    label = "string" if signature.classes else "double"
    probabilities = [f"probability.{name}" for name in signature.classes]
    return [
        {"type": "double" if name != "label" else label, "name": name, "required": True}
        for name in ("label", "score", *probabilities)
    ]


def _pretty(value: object) -> bytes:
    """JSON, which is YAML too."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
