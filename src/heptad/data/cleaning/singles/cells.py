"""The rules of one column for one value: the twins of the steps that clean a table, in the same order.

`regex`, `dates` and title case are answered by Polars itself, one value at a time: nothing else reads patterns and
formats just as it does.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from heptad.data.cleaning.settings import CleanRule
from heptad.data.records import Fitted
from heptad.data.settings import ColumnType

Row: TypeAlias = Mapping[str, Any]
Repair: TypeAlias = Callable[[Any, Row], Any]

HUGE = 1e38
_BLANK = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Unicode calls white space; Python's own idea of it has four signs more."""
_BLANKS = re.compile(f"[{_BLANK}]+")
_S = f"[{_BLANK}]*"
_CURRENCY = (
    "(?:[$\xa2-\xa5\u058f\u060b\u07fe\u07ff\u09f2\u09f3\u09fb\u0af1\u0bf9\u0e3f\u17db\u20a0-\u20c0\ua838\ufdfc\ufe69"
    "\uff04\uffe0\uffe1\uffe5\uffe6\U00011fdd-\U00011fe0\U0001e2ff\U0001ecb0]|[A-Z]{3})"
)
_BETWEEN = {"point": "[, '\xa0]", "comma": "[. '\xa0]"}
_DIGITS = {
    "point": rf"(?:\d{{1,3}}(?:{_BETWEEN['point']}\d{{3}})+|\d+)(?:\.\d*)?|\.\d+",
    "comma": rf"(?:\d{{1,3}}(?:{_BETWEEN['comma']}\d{{3}})+|\d+)(?:,\d*)?|,\d+",
}
_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Single(NamedTuple):
    """One rule of one column for one value, as `steps.Step` is for a column."""

    rule: str
    column: str
    repair: Repair
    changed: Callable[[Any, Any], bool] = lambda before, after: before is not after and before != after
    gone: Callable[[Any], bool] | None = None
    refuses: bool = False
    noted: bool = False
    adds: str = ""


def cell_steps(name: str, kind: ColumnType, rule: CleanRule) -> Iterator[Single]:
    """The rules that look at nothing but the value, in the order in which a table's are applied."""
    return (build(name, kind, rule) for wanted, build in _CELLS if wanted(rule, kind))


def _text(rule: str, name: str, repair: Callable[[str], Any], **more: Any) -> Single:
    """Leaves what is no text as it is."""
    return Single(rule, name, lambda value, _: repair(value) if type(value) is str else value, **more)


def _number(rule: str, name: str, repair: Callable[[float], Any], **more: Any) -> Single:
    return Single(rule, name, lambda value, _: repair(value) if is_number(value) else value, **more)


def is_number(value: object) -> bool:
    return type(value) is float or type(value) is int


def _missing(rule: CleanRule) -> Repair:
    texts = {mark for mark in rule.missing if isinstance(mark, str)}
    numbers = {float(mark) for mark in rule.missing if not isinstance(mark, str)}
    read = _read_number(rule) if rule.numbers else _read_plain

    def repair(value: Any, _: Row) -> Any:
        if type(value) is str:
            marked = value in texts or (bool(numbers) and read(value) in numbers)
        else:
            marked = isinstance(value, float | int) and float(value) in numbers
        return None if marked else value

    return repair


def by_polars(expression: Callable[[Any], Any], kind: ColumnType = "text") -> Callable[[Any], Any]:
    """One value by an expression of Polars, which is loaded when the first comes."""

    def read(value: Any) -> Any:
        import polars as pl  # noqa: PLC0415 - servers of models without such rules do without

        one = pl.DataFrame({"value": [value]}, schema={"value": stored_as(kind)}, strict=False)
        return one.select(expression(pl.col("value"))).item()

    return read


def stored_as(kind: ColumnType) -> Any:
    """The dtype of a column of this type."""
    from heptad.data.columns.column_types import STORED  # noqa: PLC0415 - it needs Polars

    return STORED[kind]


_CASES: Mapping[str, Callable[[str], Any]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": by_polars(lambda value: value.str.to_titlecase()),
}


def _canonical(name: str, _: ColumnType, rule: CleanRule) -> Single:
    spellings = {spelling: category for category, written in rule.canonical.items() for spelling in written}
    listed = {*rule.canonical, *spellings}
    if rule.unlisted == "null":
        return _text("canonical", name, lambda text: spellings.get(text, text) if text in listed else None)
    gone = None if rule.unlisted == "keep" else lambda value: type(value) is str and value not in listed
    return _text(
        "canonical", name, lambda text: spellings.get(text, text), gone=gone, refuses=rule.unlisted == "refuse"
    )


def _regex(name: str, _: ColumnType, rule: CleanRule) -> Single:
    whole = rf"^(?:{rule.regex})$"
    fits = by_polars(lambda value: value.str.contains(whole))
    matched = by_polars(lambda value: value.str.replace(whole, rule.becomes)) if rule.becomes else lambda text: text
    if rule.unmatched == "null":
        return _text("regex", name, lambda text: matched(text) if fits(text) else None)
    gone = None if rule.unmatched == "keep" else lambda value: type(value) is str and not fits(value)
    return _text("regex", name, matched, gone=gone, refuses=rule.unmatched == "refuse")


def _reading(name: str, _: ColumnType, rule: CleanRule) -> Single:
    what = "numbers" if rule.numbers else "units" if rule.units else "dates"
    read = {"numbers": _read_number, "units": _read_unit, "dates": _read_date}[what](rule)
    first = _read_date(rule, 1) if what == "dates" else as_number
    aside = rule.unread != "null"

    def changed(before: Any, after: Any) -> bool:
        if type(before) is not str or (aside and after is None):
            return False
        return after is None or after != first(before)

    gone = (lambda value: type(value) is str and read(value) is None) if aside else None
    return _text(what, name, read, changed=changed, gone=gone, refuses=rule.unread == "refuse")


def as_number(text: str) -> float | None:
    """A number that is plainly written; `None` for anything else."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _read_plain(text: str) -> float | None:
    return as_number(text.strip(_BLANK))


def _read_number(rule: CleanRule) -> Callable[[str], float | None]:
    sign = rule.numbers
    signed = rf"[+-]?{_S}{_CURRENCY}?{_S}[+-]?{_S}(?:{_DIGITS[sign]}){_S}(?:%|{_CURRENCY})?"
    brackets = rf"\({_S}{_CURRENCY}?{_S}(?:{_DIGITS[sign]}){_S}{_CURRENCY}?{_S}\)"
    shape = re.compile(rf"{_S}(?:{signed}|{brackets}){_S}")
    plain, between = re.compile(_PLAIN), re.compile(_BETWEEN[sign])

    def read(text: str) -> float | None:
        bare = text.strip(_BLANK)
        if sign == "point" and plain.fullmatch(bare):
            return as_number(bare)
        if not shape.fullmatch(text):
            return None
        digits = as_number(re.sub(r"[^0-9.,]", "", between.sub("", text)).replace(",", "."))
        if digits is None:
            return None
        value = -digits if "-" in text or "(" in text else digits
        return value / 100 if "%" in text else value

    return read


def _read_unit(rule: CleanRule) -> Callable[[str], float | None]:
    factors = {name: size / rule.units[rule.unit] for name, size in rule.units.items()}
    named = "|".join(re.escape(name) for name in sorted(factors, key=len, reverse=True))
    shape = re.compile(rf"{_S}({_PLAIN}){_S}({named})?{_S}")

    def read(text: str) -> float | None:
        found = shape.fullmatch(text)
        value = as_number(found[1]) if found else None
        return None if found is None or value is None else value * factors.get(found[2], 1.0)

    return read


def _read_date(rule: CleanRule, formats: int | None = None) -> Callable[[str], Any]:
    """By all formats, or by the first ones."""

    def read(text: Any) -> Any:
        from heptad.data.cleaning.notations import read_dates  # noqa: PLC0415 - it needs Polars, which most do without

        return read_dates(text, rule.dates[:formats])

    return by_polars(read)


def _outside(name: str, kind: ColumnType, rule: CleanRule) -> Single:
    ends = [(rule.min, rule.max)]
    if rule.outside == "drop":
        return Single("outside", name, lambda value, _: value, gone=lambda value: is_far(value, ends))
    if rule.outside == "cap":
        return _number("outside", name, lambda value: capped(value, ends, kind))
    return _number("outside", name, lambda value: None if is_far(value, ends) else value)


def outlier_step(name: str, kind: ColumnType, rule: CleanRule, fitted: Fitted) -> Single:
    """Numbers that are in no interval of the fitted bounds."""
    bounds = fitted.bounds.get(name) or [(None, None)]
    repairs: Mapping[str, Callable[[float], Any]] = {
        "null": lambda value: None if is_far(value, bounds) else value,
        "cap": lambda value: capped(value, bounds, kind),
        "log": lambda value: math.copysign(math.log1p(abs(value)), value) if value else value,
    }
    seen = rule.outlying in {"drop", "mark", "keep"}
    return _number(
        "outliers",
        name,
        repairs.get(rule.outlying, lambda value: value),
        gone=(lambda value: is_far(value, bounds)) if seen else None,
        noted=rule.outlying == "keep",
        adds=f"{name}_outlier" if rule.outlying == "mark" else "",
    )


Bounds: TypeAlias = Sequence[tuple[float | None, float | None]]


def is_far(value: Any, bounds: Bounds) -> bool:
    """Whether a value is a number, and in none of the intervals."""
    return is_number(value) and not any(
        (low is None or low <= value) and (high is None or value <= high) for low, high in bounds
    )


def capped(value: float, bounds: Bounds, kind: ColumnType) -> float:
    low, high = bounds[0][0], bounds[-1][1]
    held = int if kind == "integer" else float
    if high is not None and value > high:
        return held(high)
    return held(low) if low is not None and value < low else value


def is_read(rule: CleanRule) -> bool:
    """Whether the rule reads texts as something else."""
    return bool(rule.numbers or rule.units or rule.dates)


_CELLS: Sequence[tuple[Callable[[CleanRule, ColumnType], bool], Callable[[str, ColumnType, CleanRule], Single]]] = (
    (lambda rule, _: rule.strip, lambda name, _, __: _text("strip", name, lambda text: text.strip(_BLANK))),
    (
        lambda rule, _: rule.trim,
        lambda name, _, __: _text("trim", name, lambda text: _BLANKS.sub(" ", text).strip(_BLANK)),
    ),
    (lambda rule, _: bool(rule.missing), lambda name, _, rule: Single("missing", name, _missing(rule))),
    (lambda rule, _: rule.lower, lambda name, _, __: _text("lower", name, str.lower)),
    (lambda rule, _: bool(rule.case), lambda name, _, rule: _text("case", name, _CASES[rule.case])),
    (
        lambda rule, _: bool(rule.replace),
        lambda name, _, rule: _text("replace", name, lambda text: rule.replace.get(text, text)),
    ),
    (lambda rule, _: bool(rule.canonical), _canonical),
    (lambda rule, _: bool(rule.regex), _regex),
    (lambda rule, _: is_read(rule), _reading),
    (
        lambda rule, kind: kind == "number" and is_read(rule),
        lambda name, _, __: _number("not_finite", name, lambda value: value if math.isfinite(value) else None),
    ),
    (
        lambda _, kind: kind == "number",
        lambda name, _, __: _number("huge", name, lambda value: value if abs(value) <= HUGE else None),
    ),
    (lambda rule, _: rule.min is not None or rule.max is not None, _outside),
)
"""Whether a column's rule asks for it, and what builds it."""
