"""Writes accepted rules into heptad.toml, and leaves all else in it as it is."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heptad.core.errors import DataError
from heptad.core.files import write_atomically
from heptad.data.cleaning.suggesting.rules import SuggestedRule, merged, rule_lines
from heptad.data.toml import toml_value


def accept_rules(rules: Sequence[SuggestedRule], path: Path) -> list[str]:
    """Adds the settings of the rules under `[clean.columns]`, in one write; answers the columns that they went to.

    What is there stays, and wins over a rule that says otherwise. Raises `DataError` where the file's own way of
    writing a column leaves no room, or where there is no such file; then nothing is written.
    """
    if not path.is_file():
        raise DataError(
            f"There is no {path} to write rules into.",
            allowed="the heptad.toml of a project",
            remedy="go to a project's folder, or make one: heptad init --from FILE --target COLUMN",
        )
    text = path.read_text(encoding="utf-8")
    before = tomllib.loads(text)
    wanted = merged(rules)
    there = before.get("clean", {}).get("columns", {})
    for column in sorted(wanted):
        new = added(wanted[column], there.get(column, {}))
        if new:
            text = _with(text, column, new, there)
    expected = _combined(before, wanted)
    if _parsed(text) != expected:
        listed = "\n".join(line for column in sorted(wanted) for line in rule_lines(column, wanted[column]))
        raise DataError(
            f"{path} writes [clean.columns] in a way that these rules cannot be added to.",
            allowed="a table for each column: [clean.columns.NAME]",
            remedy=f"add them yourself:\n{listed}",
        )
    if expected != before:
        write_atomically(path, text.encode())
    return sorted(wanted)


def added(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted and not there; of a table or of marks the whole, where some of it is not there."""
    new = {}
    for name, value in wanted.items():
        if isinstance(value, dict):
            whole = value | there.get(name, {})
            if whole != there.get(name):
                new[name] = whole
        elif name == "missing" and name in there:
            more = [mark for mark in value if mark not in there[name]]
            if more:
                new[name] = [*there[name], *more]
        elif name not in there:
            new[name] = value
    return new


def _combined(before: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    clean = dict(before.get("clean", {}))
    columns = {name: dict(there) for name, there in clean.get("columns", {}).items()}
    for column, settings in wanted.items():
        here = columns.setdefault(column, {})
        here.update(added(settings, here))
    return {**before, "clean": {**clean, "columns": columns}} if wanted else dict(before)


def _with(text: str, column: str, new: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    added = list(rule_lines(column, new))
    if column not in there:
        return text.rstrip("\n") + "\n\n" + "\n".join(added) + "\n"
    name = rf"(?:{re.escape(toml_value(column))}|\'{re.escape(column)}\'|{re.escape(column)})"
    header = re.compile(
        rf"^[ \t]*\[[ \t]*clean[ \t]*\.[ \t]*columns[ \t]*\.[ \t]*{name}[ \t]*\][^\n]*\n?", re.MULTILINE
    )
    found = header.search(text)
    if found is None:
        return text
    end = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, found.end())
    inside, rest = text[found.end() : end.start() if end else None], text[end.start() :] if end else ""
    for key in new:
        inside = re.sub(rf"^[ \t]*{re.escape(key)}[ \t]*=[^\n]*\n?", "", inside, flags=re.MULTILINE)
    return text[: found.start()] + found[0].rstrip("\n") + "\n" + "\n".join(added[1:]) + "\n" + inside + rest


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
