"""Names of columns in a table that takes `Age` and `age` for the same."""

import zlib
from collections.abc import Iterable


def distinct_names(names: Iterable[str], present: Iterable[str]) -> dict[str, str]:
    """Names to what they are called beside those that are `present`; names that can stay are left out."""
    exact = set(present)
    taken = {name.lower() for name in exact}
    renamed = {}
    for name in names:
        if name not in exact and name.lower() in taken:
            renamed[name] = f"{name}~{_mark(name)}"
        taken.add(name.lower())
    return renamed


def original_name(column: str) -> str:
    """The name that `distinct_names` was given."""
    name, tilde, mark = column.rpartition("~")
    return name if tilde and mark == _mark(name) else column


def _mark(name: str) -> str:
    return f"{zlib.crc32(name.encode()):08x}"
