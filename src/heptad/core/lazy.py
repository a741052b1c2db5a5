"""Packages that import nothing until a name is asked for (PEP 562)."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, table: Mapping[str, str]) -> tuple[Callable[[str], Any], list[str]]:
    """`__getattr__` and `__all__` of a package whose public names live in its modules.

    `table` maps each name to the module inside the package that defines it.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - it becomes the package's own
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{table[name]}"), name)

    return __getattr__, sorted(table)
