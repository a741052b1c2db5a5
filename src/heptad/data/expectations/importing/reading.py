"""Reads a file of another program's expectations, and finds out which program wrote it."""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from heptad.core import catalogue
from heptad.core.errors import DataError
from heptad.data.assembling.function import ProjectFunction
from heptad.data.expectations.importing.great_expectations import read_suite
from heptad.data.expectations.importing.pandera import read_schema
from heptad.data.expectations.importing.translation import Imported, SchemaReader

LARGEST = 32 * 1024 * 1024
"""Bytes of a file; suites are written by people or about columns, and stay far below."""
DEEPEST = 100
_ALLOWED = "a suite of Great Expectations as JSON, or a schema that pandera.io wrote as YAML or JSON"


def import_expectations(path: Path) -> Imported:
    """The translation of a suite or schema, with all that has no twin; raises `DataError` for other files."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path} has more than {LARGEST // 2**20} MiB.", allowed=_ALLOWED)
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", allowed=_ALLOWED) from error
    written = _parsed(content, path)
    if not isinstance(written, dict) or not {"expectations", "columns"} & written.keys():
        raise DataError(f"{path} holds neither expectations nor columns.", allowed=_ALLOWED)
    return read_suite(written) if "expectations" in written else read_schema(written)


def import_object(root: Path, address: str) -> Imported:
    """The translation of `module:object`, a schema of the project at `root`, with all that has no twin.

    A `DataFrameSchema` or a `DataFrameModel` of Pandera, for pandas or Polars. Raises `WorkspaceError` where Pandera is
    not installed, `SettingsError` where there is no such object, `TaskError` where its module cannot be run.
    """
    reader: SchemaReader = catalogue.find("schema", "pandera")
    written = reader(ProjectFunction(root, address, "--suite").value())
    return read_schema(written.written, written.left_out)


def _parsed(content: bytes, path: Path) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _parsed_yaml(content)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{path} is neither JSON nor YAML: {str(error).splitlines()[0]}.", allowed=_ALLOWED) from error


def _parsed_yaml(content: bytes) -> Any:
    """Without aliases, by which a short file can grow beyond any memory; nobody writes a schema with them.

    Nor with deep nesting, over which the scanner takes time that grows with its square.
    """
    depth = 0
    for token in yaml.scan(content.decode(), Loader=yaml.SafeLoader):
        depth += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
        depth -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
        if depth > DEEPEST:
            raise yaml.YAMLError(f"it nests more than {DEEPEST} deep")
        if isinstance(token, yaml.AliasToken):
            raise yaml.YAMLError("it has aliases (*name)")
    return yaml.safe_load(content)
