"""Tables as files, in the format that the ending names."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_SINKS = {".parquet": "sink_parquet", ".csv": "sink_csv", ".jsonl": "sink_ndjson", ".arrow": "sink_ipc"}


def check_ending(file: Path) -> None:
    """Raises `InputError` for an ending that says nothing, before anything long is begun."""
    from heptad.core.errors import InputError

    if file.suffix not in _SINKS:
        raise InputError(f"{file} does not end in a format that can be written.", allowed=", ".join(_SINKS))


def write_table(rows: "pl.LazyFrame", file: Path) -> None:
    """Write rows whole or not at all; raises `InputError` for an unknown ending."""
    from heptad.core.files import replacing

    check_ending(file)
    with replacing(file) as temporary:
        getattr(rows, _SINKS[file.suffix])(temporary)
