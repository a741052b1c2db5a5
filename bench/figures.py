"""What every benchmark answers: figures, each with its limit and its floor."""

import importlib
from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure; `ratio` is the value over the limit, which was measured in the same run."""

    name: str
    value: float
    unit: str
    limit: float
    ratio: float
    floor: str
    """What was promised, in words."""
    holds: bool


def measured(part: str) -> list[dict[str, Any]]:
    """The figures of `measure`, which each file here has, as plain data."""
    found: list[dict[str, Any]] = msgspec.to_builtins(importlib.import_module(f"bench.{part}").measure())
    return found
