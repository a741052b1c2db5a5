"""The rules of `[clean]` in a package, with rows that prove them: a server must clean them as the table was cleaned."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heptad.core.errors import IntegrityError, RefusedError, RequestError
from heptad.data import DatasetVersion, RequestRules, RowCleaner, request_rules

TOLERANCE = 1e-12
"""How far repaired numbers may differ between machines; relative above 1."""


class GoldenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A row as a client sends it, and what the rules of the table make of it: `None` where they refuse it."""

    row: dict[str, Any]
    cleaned: dict[str, Any] | None
    told: int = 0
    """How many things are said of it."""


class Cleaning(msgspec.Struct, frozen=True, kw_only=True):
    """The member `cleaning.json` of a package."""

    rules: RequestRules
    golden: list[GoldenRequest]


def packed_cleaning(version: DatasetVersion, inputs: Sequence[str], usual: Mapping[str, Any]) -> Cleaning | None:
    """The rules for rows of these inputs, `None` where there are none.

    Raises `RefusedError` where a server would clean otherwise than the table was cleaned.
    """
    from heptad.data import clean_requests, probes  # noqa: PLC0415 - they need Polars, and servers do not pack

    rules = request_rules(version, inputs)
    if rules is None:
        return None
    rows = probes(rules, usual)
    golden = [
        GoldenRequest(row=row, cleaned=cleaned, told=told)
        for row, (cleaned, told) in zip(rows, clean_requests(version, rules, rows), strict=True)
    ]
    cleaning = Cleaning(rules=rules, golden=golden)
    try:
        open_cleaner(cleaning)
    except IntegrityError as error:
        raise RefusedError(
            f"The rules of [clean] cannot be packed: {error.problem}",
            remedy="write the rule more simply, and report this: no rule should be cleaned in two ways",
        ) from error
    return msgspec.json.decode(msgspec.json.encode(cleaning), type=Cleaning)


def open_cleaner(cleaning: Cleaning) -> RowCleaner:
    """The rules, ready for rows; raises `IntegrityError` where they make of a golden row something else."""
    cleaner = RowCleaner(cleaning.rules)
    for place, golden in enumerate(cleaning.golden):
        notes: list[str] = []
        try:
            made: dict[str, Any] | None = cleaner.clean(golden.row, notes)
        except RequestError:
            made, notes = None, []
        wrong = _difference(golden.cleaned, made)
        if wrong or len(notes) != golden.told:
            said = wrong or f"{len(notes)} things are said of it, where {golden.told} are recorded"
            raise IntegrityError(
                f"Golden request {place} is cleaned otherwise than the table was: {said}.",
                remedy="do not serve this package; register the candidate again",
            )
    return cleaner


def _difference(expected: Mapping[str, Any] | None, made: Mapping[str, Any] | None) -> str:
    """What differs between two cleaned rows, in words."""
    if expected is None or made is None:
        return "" if expected is made else "one of them is refused"
    for name, value in expected.items():
        found = _plain(made.get(name))
        if not _alike(_plain(value), found):
            return f"{name!r} becomes {found!r}, and {value!r} is recorded"
    return ""


def _plain(value: Any) -> Any:
    """As JSON has it, so that a moment compares with its text."""
    return msgspec.to_builtins(value)


def _alike(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, float | int) and not isinstance(found, bool):
        return math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(expected == found)
