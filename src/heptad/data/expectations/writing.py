"""Writes expectations as TOML: one line a column, one short table for each expectation of whole rows."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heptad.data.expectations.settings import ColumnExpectation, HowHeld, TableExpectation


def expectations_toml(
    columns: Mapping[str, Sequence[ColumnExpectation]],
    table: Sequence[TableExpectation] = (),
    evidence: Mapping[str, str] | None = None,
) -> str:
    """The sections `[expect.columns]` and `[[expect.table]]`; `evidence`: a remark for a column's line."""
    lines = ["[expect.columns]"] if columns else []
    written = {key_text(name): _column(parts) for name, parts in columns.items()}
    told = {key_text(name): text for name, text in (evidence or {}).items()}
    for name, text in written.items():
        if name in told:
            lines.append(f"# {' '.join(told[name].split())}")
        lines.append(f"{name} = {text}")
    for one in table:
        lines += ["", "[[expect.table]]"]
        lines += [f"{key_text(name)} = {value_text(value)}" for name, value in _plain(one).items()]
    return "\n".join(lines) + "\n"


def _column(parts: Sequence[ColumnExpectation]) -> str:
    if len(parts) == 1:
        return value_text(_plain(parts[0]))
    return "[\n" + "".join(f"    {value_text(_plain(one))},\n" for one in parts) + "]"


def _plain(one: HowHeld) -> dict[str, Any]:
    """What is expected first, how it is held after."""
    plain = msgspec.to_builtins(one)
    how = [field.name for field in msgspec.structs.fields(HowHeld) if field.name in plain]
    return {name: value for name, value in plain.items() if name not in how} | {name: plain[name] for name in how}


def value_text(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        inside = [f"{key_text(name)} = {value_text(one)}" for name, one in value.items()]
        return f"{{ {', '.join(inside)} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    # A delete character is allowed in JSON and not in TOML.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def key_text(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else value_text(name)
