"""Keys and values as TOML writes them on one line, for every part of heptad.toml that is written for a person."""

import math
import re
from typing import Any

import msgspec


def toml_key(name: str) -> str:
    """A part of a key, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def toml_value(value: Any) -> str:
    """A text, number, truth, list or table; what is null in a table is left out, and a whole number has no point.

    >>> toml_value({"a b": [1.0, True, "x"], "c": None})
    '{ "a b" = [1, true, "x"] }'
    """
    if isinstance(value, dict):
        inside = [f"{toml_key(name)} = {toml_value(one)}" for name, one in value.items() if one is not None]
        return f"{{ {', '.join(inside)} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    # JSON and TOML write the rest alike, but for a delete character, which JSON allows as it is.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
