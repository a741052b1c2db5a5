"""The api process itself."""

import subprocess
import sys

import msgspec
import pytest

from heptad.api.server import serve
from heptad.api.settings import ApiOptions
from heptad.core.errors import InputError


def test_a_server_that_others_could_reach_does_not_start() -> None:
    """Before anything else, the host is checked."""
    with pytest.raises(InputError, match="without a password"):
        serve(ApiOptions(root="/nowhere", host="0.0.0.0", port=1))


def test_it_loads_nothing_that_trains_or_reads_tables() -> None:
    """The process stays small: no numpy, polars, scikit-learn or ONNX runtime."""
    code = (
        "import sys; import heptad.api.server, heptad.api.worker;"
        "print(sorted({'numpy', 'polars', 'sklearn', 'onnxruntime', 'lightgbm', 'optuna'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_refusal_is_one_line(tmp_path: object) -> None:
    """Not a traceback: `heptad up` tells it to people."""
    options = msgspec.json.encode(ApiOptions(root=str(tmp_path), host="10.0.0.1", port=1)).decode()
    asked = subprocess.run(
        [sys.executable, "-m", "heptad.api.server", options], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "without a password" in asked.stderr
    assert "Traceback" not in asked.stderr
