"""Names everything that is wrong with the rules of `[clean]`, before any of them runs."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.core.secrets import holds_secret
from heptad.data.cleaning.kinds import kinds_of, read_as
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.columns.conditions import ConditionError, columns_of, compile_condition
from heptad.data.columns.schema import named_columns

_STATISTICS = {"mean", "median", "mode", "most_frequent", "average"}
_ONE_OF = (("lower", "case"), ("numbers", "units", "dates"), ("fill", "fill_from"), ("prefix", "mask", "pseudonym"))
_GROUP = re.compile(r"\$(?:\$|\{([^}]*)\}|(\w+))", re.ASCII)
"""A group in `becomes`, in braces or up to the last letter, digit or underscore; two dollar signs are one."""
_HIDING = ("band", "period", "prefix", "mask", "pseudonym")
_LEARNT = (
    "is learnt of rows, and of those that a model is judged on too; leave the cell missing: training learns what "
    "stands in for it from the rows of its folds alone ([search] folds)"
)
_UNKNOWN = (
    "is known only with the label: no request has it, and a model would be judged on rows that their labels have told. "
    "Allowed: columns that a request has"
)
_TOLD_LABEL = (
    "would tell labels from what a model sees, also those that it is judged on; put labels right with "
    "`heptad data correct`, or let functions vote on them ([labelling])"
)


def check_rules(
    types: Mapping[str, pl.DataType], settings: CleanSettings, target: str = "", label_time: str = ""
) -> None:
    """Raises `DataError` with every rule that names no column, does not fit its column, or contradicts itself.

    Where a project names a `target`, also with every rule that reads the label, which serving cannot do.
    """
    problems = [one for name, rule in settings.columns.items() for one in _of_column(types, name, rule)]
    problems += _of_rows(types, settings, target)
    if target:
        problems += _of_labels(settings, target, {target, label_time})
    if problems:
        raise DataError(
            "\n  ".join(["[clean] cannot be applied:", *problems]) if len(problems) > 1 else problems[0],
            remedy="mend it in heptad.toml; `heptad explain-config` shows every setting",
        )


def _of_column(types: Mapping[str, pl.DataType], name: str, rule: CleanRule) -> Iterator[str]:
    where = f"[clean.columns.{name}]"
    if name not in types:
        known = nearest(name, named_columns(types))
        yield f"There is no column {name!r}, which [clean.columns] names. Allowed: {known}"
        return
    kind = types[name]
    for one in kinds_of(kind, rule):
        fits = {
            "any": True,
            "text": kind == pl.String,
            "number": kind.is_numeric(),
            "time": isinstance(kind, pl.Datetime),
        }[one.takes]
        if not fits:
            takes = {"number": "numbers", "time": "times"}.get(one.takes, "text")
            yield f"{where} {one.setting} does not fit a column of {kind}. Allowed: a column of {takes}"
        kind = one.becomes or kind
    yield from (f"{where} {problem}" for problem in _contradictions(rule))
    yield from (f"{where} {problem}" for problem in _disguises(rule))
    yield from (f"{where} {problem}" for problem in _others(types, name, kind, rule))


def _of_labels(settings: CleanSettings, target: str, known_later: Collection[str]) -> Iterator[str]:
    """Rules by which the label gets into what a model learns from, or what it learns from into the label."""
    for name, rule in settings.columns.items():
        where = f"[clean.columns.{name}]"
        told = [(f"told_by names {other!r}", other) for other in rule.told_by]
        told += [(f"fill_from names {rule.fill_from!r}", rule.fill_from)]
        yield from (f"{where} {said}, which {_UNKNOWN}" for said, other in told if other in known_later and other)
        if name == target:
            yield from (f"{where} {one} {_TOLD_LABEL}" for one in ("told_by", "fill_from") if getattr(rule, one))
            if rule.outliers and rule.outlying == "mark":
                yield f"{where} outlying = 'mark' adds {name}_outlier, which {_UNKNOWN}"


def _contradictions(rule: CleanRule) -> Iterator[str]:
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield f"min = {rule.min:g} is above max = {rule.max:g}. Allowed: min <= max"
    for one_of in _ONE_OF:
        given = [one for one in one_of if getattr(rule, one) not in (None, "", [], {}, False)]
        if len(given) > 1:
            yield f"{' and '.join(given)} are both given. Allowed: one of {', '.join(one_of)}"
    spelled = Counter([*rule.canonical, *(one for written in rule.canonical.values() for one in written)])
    for spelling, times in spelled.items():
        if times > 1:
            yield f"canonical lists {spelling!r} {times} times. Allowed: each spelling once, in one category"
    if rule.units and rule.unit not in rule.units:
        yield f"unit = {rule.unit!r} is not in units. Allowed: {nearest(rule.unit, list(rule.units))}"
    if rule.unit and not rule.units:
        yield f"unit = {rule.unit!r} needs units, a table of unit to size"
    yield from _patterns(rule)
    yield from (f"dates has {one!r}. Allowed: a format such as '%d.%m.%Y'" for one in rule.dates if not _is_format(one))


def _patterns(rule: CleanRule) -> Iterator[str]:
    """What is wrong with `regex`, and groups that `becomes` names and it has not: nothing would stand for them."""
    if not rule.regex:
        if rule.becomes:
            yield f"becomes = {rule.becomes!r} needs regex"
        return
    if not _is_pattern(rule.regex):
        yield f"regex = {rule.regex!r} cannot be read. Allowed: a regular expression as Rust has it"
        return
    fields = pl.Series([""]).str.extract_groups(rule.regex).struct.fields
    known = [f"{number}" for number in range(len(fields) + 1)]
    known += [one for one in fields if one not in known]
    for braced, plain in _GROUP.findall(rule.becomes):
        name = braced or plain
        if name and name not in known:
            allowed = ", ".join(f"${{{one}}}" for one in known)
            yield f"becomes = {rule.becomes!r} names the group {name!r}, which regex has not. Allowed: {allowed}"


def _disguises(rule: CleanRule) -> Iterator[str]:
    hides = [one for one in _HIDING if getattr(rule, one) not in (None, "", 0)]
    if rule.pseudonym and not holds_secret(rule.pseudonym):
        yield "pseudonym holds a key itself. Allowed: ${NAME}, a value of the environment"
    if hides and rule.request not in {"", "apply"}:
        yield f"request = {rule.request!r} would not do to a request what {hides[0]} does. Allowed: apply, or nothing"


def _others(types: Mapping[str, pl.DataType], name: str, kind: pl.DataType, rule: CleanRule) -> Iterator[str]:
    """What is wrong with other columns that a rule names, and with what fills this one."""
    for setting, named in (("told_by", rule.told_by), ("fill_from", [rule.fill_from] if rule.fill_from else [])):
        rest = [one for one in types if one != name]
        for other in named:
            if other not in rest:
                yield f"{setting} names {other!r}. Allowed: {nearest(other, rest)}"
    if rule.outlying == "mark" and rule.outliers and f"{name}_outlier" in types:
        yield f"outlying = 'mark' adds {name}_outlier, which is there. Allowed: another, or rename that column"
    if isinstance(rule.fill, str) and rule.fill.lower() in _STATISTICS:
        yield f"fill = {rule.fill!r} {_LEARNT}"
    elif rule.fill is not None and not _holds(kind, rule.fill):
        yield f"fill = {rule.fill!r} does not fit a column of {kind}"


def _holds(kind: pl.DataType, value: str | float | bool) -> bool:
    if isinstance(value, bool):
        return kind == pl.Boolean
    if isinstance(value, str):
        return kind == pl.String
    return kind.is_float() or (kind.is_integer() and float(value).is_integer())


def _of_rows(types: Mapping[str, pl.DataType], settings: CleanSettings, target: str) -> Iterator[str]:
    after = dict(types)
    for name, rule in settings.columns.items():
        if name in types:
            after[name] = read_as(rule) or types[name]
            after |= {f"{name}_outlier": pl.Boolean()} if rule.outlying == "mark" else {}
    for name, rows in settings.rows.items():
        try:
            compile_condition(rows.where, after, f"[clean.rows.{name}] where")
        except ConditionError as error:
            yield f"{error.problem} Allowed: {error.allowed}"
            continue
        named = columns_of(rows.where)
        if target in named and len(named) > 1:
            others = ", ".join(one for one in named if one != target)
            yield (
                f"[clean.rows.{name}] where chooses rows by the label {target!r} together with {others}: a model would "
                "be judged on the rows that are left alone, and no request can be chosen so. Allowed: the label by "
                "itself, or columns that a request has"
            )
    similar = settings.similar
    for setting, named in (
        ("[clean] duplicate_by", settings.duplicate_by),
        ("[clean.similar] columns", similar.columns),
        ("[clean.similar] block", similar.block),
    ):
        for column in named:
            if column not in types:
                yield f"{setting} names {column!r}. Allowed: {nearest(column, list(types))}"
    if similar.block and not similar.columns:
        yield "[clean.similar] block needs columns, whose texts are compared"


def _is_pattern(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError:
        return False
    return True


def _is_format(pattern: str) -> bool:
    if not re.search(r"%[YyFDs]", pattern):
        return False
    try:
        pl.Series(["1"]).str.to_datetime(pattern, strict=False)
    except pl.exceptions.PolarsError:
        return False
    return True
