"""Writes expectations as TOML: one line a column, one short table for each expectation of whole rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heptad.data.expectations.settings import ColumnExpectation, HowHeld, TableExpectation
from heptad.data.toml import toml_key, toml_value


def expectations_toml(
    columns: Mapping[str, Sequence[ColumnExpectation]],
    table: Sequence[TableExpectation] = (),
    evidence: Mapping[str, str] | None = None,
) -> str:
    """The sections `[expect.columns]` and `[[expect.table]]`; `evidence`: a remark for a column's line."""
    lines = ["[expect.columns]"] if columns else []
    written = {toml_key(name): _column(parts) for name, parts in columns.items()}
    told = {toml_key(name): text for name, text in (evidence or {}).items()}
    for name, text in written.items():
        if name in told:
            lines.append(f"# {' '.join(told[name].split())}")
        lines.append(f"{name} = {text}")
    for one in table:
        lines += ["", "[[expect.table]]"]
        lines += [f"{toml_key(name)} = {toml_value(value)}" for name, value in _plain(one).items()]
    return "\n".join(lines) + "\n"


def _column(parts: Sequence[ColumnExpectation]) -> str:
    if len(parts) == 1:
        return toml_value(_plain(parts[0]))
    return "[\n" + "".join(f"    {toml_value(_plain(one))},\n" for one in parts) + "]"


def _plain(one: HowHeld) -> dict[str, Any]:
    """What is expected first, how it is held after."""
    plain = msgspec.to_builtins(one)
    how = [field.name for field in msgspec.structs.fields(HowHeld) if field.name in plain]
    return {name: value for name, value in plain.items() if name not in how} | {name: plain[name] for name in how}
