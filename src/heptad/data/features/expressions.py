"""Compiles the features that `make` declares into polars expressions; every mistake is named before anything runs."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import polars as pl

from heptad.core.errors import SettingsError, TaskError, nearest
from heptad.core.settings import duration
from heptad.data.assembling.function import ProjectFunction
from heptad.data.features.functions import FUNCTIONS, Reach, Scope, reach_of
from heptad.data.features.settings import FeatureSettings, MadeSettings

_OWN = ("history",)
"""What a function of the project may be told."""


class Step(NamedTuple):
    """One feature to compute.

    Without an expression it depends on other entities. `code` is the digest of a function of the project, empty for
    the built-in ones.
    """

    name: str
    made: MadeSettings
    reads: list[str]
    expression: pl.Expr | None
    scope: Scope
    reach: Reach
    code: str = ""


def compile_steps(view: str, settings: FeatureSettings, root: Path | None) -> list[Step]:
    """The steps of a view in order; raises `SettingsError` with every mistake at once."""
    problems: list[str] = _mistyped(settings)
    for name, made in settings.make.items():
        where = f"[features.{view}.make.{name}]"
        if name in settings.columns:
            problems.append(f"{where}: {name!r} is one of the columns already")
        problems += [f"{where}: {one}" for one in _mistakes(made)]
    if problems:
        raise SettingsError(
            f"[features.{view}] cannot be computed:", problems=problems, allowed=f"functions: {', '.join(FUNCTIONS)}"
        )
    steps: list[Step] = []
    for name, made in settings.make.items():
        steps.append(_own(view, name, made, root) if ":" in made.call else _built_in(name, made))
    return [*_unsettled_first(view, steps)]


def _mistyped(settings: FeatureSettings) -> list[str]:
    """What settings made in Python hold that heptad.toml would have been refused for."""
    try:
        msgspec.convert(msgspec.to_builtins(settings), FeatureSettings)
    except msgspec.ValidationError as error:
        return [str(error)]
    return []


def columns_of(made: MadeSettings) -> list[str]:
    """The columns that a function is given."""
    return [made.of] if isinstance(made.of, str) else list(made.of)


def _built_in(name: str, made: MadeSettings) -> Step:
    function, columns = FUNCTIONS[made.call], columns_of(made)
    expression = None if function.build is None else function.build([pl.col(one) for one in columns], made)
    reads = [*columns, *(one for one in (made.target, made.known) if one)]
    return Step(name, made, reads, expression, function.scope, reach_of(made, function.scope))


def _own(view: str, name: str, made: MadeSettings, root: Path | None) -> Step:
    where = f"[features.{view}.make.{name}]"
    if root is None:
        raise SettingsError(f"{where}: {made.call!r} is a function of a project, and there is none here.")
    function = ProjectFunction(root, made.call)
    columns = columns_of(made)
    called: Callable[..., Any] = function.load()
    try:
        expression = called(*(pl.col(one) for one in columns))
    except Exception as error:
        raise TaskError(
            f"{where}: the function {made.call} failed: {type(error).__name__}: {error}.",
            remedy=f"it is given {len(columns)} polars expressions and answers one",
        ) from error
    if not isinstance(expression, pl.Expr):
        raise SettingsError(
            f"{where}: the function {made.call} answered a {type(expression).__name__}.", allowed="a polars expression"
        )
    scope: Scope = "history" if made.history else "row"
    return Step(name, made, columns, expression, scope, reach_of(made, scope), function.digest())


def _unsettled_first(view: str, steps: Sequence[Step]) -> Iterator[Step]:
    """What depends on other entities comes first, since it is computed over all of them; so it reads columns only."""
    made = {step.name for step in steps}
    for step in steps:
        if step.scope == "all" and made & set(step.reads):
            wrong = ", ".join(repr(one) for one in step.reads if one in made)
            raise SettingsError(
                f"[features.{view}.make.{step.name}]: {step.made.call} cannot be made of {wrong}, which is made too.",
                allowed="columns of the source",
            )
    yield from (step for step in steps if step.scope == "all")
    yield from (step for step in steps if step.scope != "all")


def _mistakes(made: MadeSettings) -> Iterator[str]:
    if ":" in made.call:
        yield from _unread(made, _OWN, "a function of the project")
        return
    function = FUNCTIONS.get(made.call)
    if function is None:
        yield f"there is no function {made.call!r}. Allowed: {nearest(made.call, list(FUNCTIONS))}"
        return
    least, most = function.takes
    count = len(columns_of(made))
    if count < least or (most >= 0 and count > most):
        allowed = f"{least}" if least == most else f"{least} or more" if most < 0 else f"{least} to {most}"
        yield f"{made.call} was given {count} columns. Allowed: {allowed} in `of`"
    given = _given(made)
    yield from (f"{made.call} needs `{one}`" for one in function.needs if one not in given)
    if made.call in _PAIRS and (count == 2) == ("value" in given):
        yield f"{made.call} takes a second column or a `value`"
    yield from _unread(made, function.options, made.call)
    yield from _wrong_values(made)


_PAIRS = {"add", "subtract", "multiply", "divide", "above", "below"}


def _given(made: MadeSettings) -> set[str]:
    """The settings that are not what they are by default."""
    plain = MadeSettings(call=made.call)
    names = (field.name for field in msgspec.structs.fields(made))
    return {one for one in names if one not in {"call", "of"} and getattr(made, one) != getattr(plain, one)}


def _unread(made: MadeSettings, options: Sequence[str], who: str) -> Iterator[str]:
    for one in sorted(_given(made) - set(options)):
        yield f"{who} takes no `{one}`. Allowed: {', '.join(options) or 'only `of`'}"


def _wrong_values(made: MadeSettings) -> Iterator[str]:
    if made.window and made.rows:
        yield "window and rows are both given. Allowed: one of the two"
    if made.window and not duration(made.window):
        yield f"window = {made.window!r}. Allowed: a duration above zero"
    if made.edges != sorted(set(made.edges)) or not all(math.isfinite(edge) for edge in made.edges):
        yield f"edges = {made.edges}. Allowed: rising numbers"
    if made.low is not None and made.high is not None and made.low > made.high:
        yield f"low = {made.low} is above high = {made.high}"
    if made.zone and not _is_zone(made.zone):
        yield f"zone = {made.zone!r}. Allowed: names such as Europe/Berlin"
    if made.pattern and not _is_pattern(made.pattern, made.call):
        group = " with a group in parentheses" if made.call == "extract" else ""
        yield f"pattern = {made.pattern!r}. Allowed: a regular expression{group}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_pattern(pattern: str, call: str) -> bool:
    """As polars reads it, whose expressions are not quite Python's."""
    try:
        probe = pl.Series([""])
        if call == "extract":
            return bool(probe.str.extract_groups(pattern).struct.fields)
        probe.str.contains(pattern)
    except pl.exceptions.PolarsError:
        return False
    return True
