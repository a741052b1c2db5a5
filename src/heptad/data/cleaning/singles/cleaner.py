"""Does to one row of plain values what the rules of a version did to its table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from heptad.core.errors import RequestError
from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.singles.cells import (
    Row,
    Single,
    as_number,
    by_polars,
    cell_steps,
    is_read,
    outlier_step,
    stored_as,
)
from heptad.data.cleaning.singles.disguises import disguise_steps
from heptad.data.cleaning.singles.rules import RequestRules
from heptad.data.cleaning.singles.truths import NotPlainError, Term, as_moment, named_in, plain_truth
from heptad.data.settings import ColumnType

_BETWEEN = "\x1f"
_TEXTS = {"category", "text"}


class RowCleaner:
    """Rules made ready for rows; one is used by many threads at once.

    A repair is done and told, as is what would set the row aside in a table; a row that a rule refuses is a
    `RequestError` (status 422) that names the column. A value of another type than its column's is left as it is, for
    the model's signature to judge.
    """

    def __init__(self, rules: RequestRules) -> None:
        self.rules = rules
        self.names = frozenset(rules.types)
        self._stages = [stage for stage in _stages(rules) if stage]
        self._texts = [name for name, kind in rules.types.items() if kind in _TEXTS]
        self._beside = [name for name in rules.types if name not in rules.inputs]
        self._kinds = [_kind_of_row(name, rules) for name in rules.rows]

    def clean_all(self, rows: Sequence[Row]) -> tuple[list[dict[str, Any]], list[list[str]]]:
        """The rows as the model takes them, and what is told of each; raises `RequestError` for the first refused."""
        notes: list[list[str]] = [[] for _ in rows]
        several = len(rows) > 1
        return [
            self.clean(row, own, f" in row {place}" if several else "")
            for place, (row, own) in enumerate(zip(rows, notes, strict=True))
        ], notes

    def clean(self, row: Row, notes: list[str], where: str = "") -> dict[str, Any]:
        """The row as the model takes it; what was done is added to `notes`, without the value."""
        cleaned = dict(row)
        for name in self._texts:
            if isinstance(value := cleaned.get(name), int):
                cleaned[name] = str(value).lower()
        emptied: list[str] = []
        for stage in self._stages:
            cleaned.update(self._stage(stage, row, cleaned, notes, emptied, where))
        for kind in self._kinds:
            kind.judge(cleaned, notes, where)
        self._settle(row, cleaned, emptied)
        for name in self._beside:
            cleaned.pop(name, None)
        return cleaned

    def _stage(
        self, steps: Sequence[Single], row: Row, cleaned: Row, notes: list[str], emptied: list[str], where: str
    ) -> dict[str, Any]:
        """What the steps of a stage make of columns; `emptied` gets those of which a table would lose the row."""
        made: dict[str, Any] = {}
        for step in steps:
            if step.column not in cleaned:
                continue
            before = made[step.column] if step.column in made else cleaned[step.column]
            after = made[step.column] = step.repair(before, cleaned)
            if after is not before and step.changed(before, after):
                notes.append(self._told(step, "repaired by the rule", row, where))
            if step.adds:
                made[step.adds] = step.gone is not None and step.gone(before)
            elif step.gone is not None and step.gone(before):
                notes.append(self._told(step, "no row of the table, by the rule", row, where, refuses=step.refuses))
                emptied += [] if step.noted else [step.column]
        return made

    def _told(self, step: Single, what: str, row: Row, where: str, *, refuses: bool = False) -> str:
        """What is noted of a step that found something; raises `RequestError` where the row is refused for it."""
        request = self._rule(step.column).request
        if request == "refuse" or (refuses and not request):
            shown = ascii(row.get(step.column))
            raise RequestError(
                f"{step.column!r}{where} cannot be {shown if len(shown) <= 80 else shown[:77] + '...'}: the rule "
                f"{step.rule!r} of [clean.columns] does not let it pass.",
                status=422,
                field=step.column,
            )
        left = ", but left as it came" if request == "warn" and not is_read(self._rule(step.column)) else ""
        return f"{step.column}: {what} {step.rule}{left}"

    def _settle(self, came: Row, cleaned: dict[str, Any], emptied: Sequence[str]) -> None:
        """The values that were warned of as they came, and none where `apply` would set the row aside."""
        for name, rule in self.rules.columns.items():
            if name not in cleaned:
                continue
            # A text that is read as a number has no other value to be than that number.
            if rule.request == "warn" and not is_read(rule):
                cleaned[name] = came[name]
            elif rule.request == "apply" and name in emptied:
                cleaned[name] = None

    def _rule(self, name: str) -> CleanRule:
        return self.rules.columns.get(name, _NO_RULE)


_NO_RULE = CleanRule()


class _KindOfRow(NamedTuple):
    """A kind of rows that a table has not."""

    name: str
    columns: Sequence[str]
    asked: Term
    refuses: bool
    reason: str

    def judge(self, row: Row, notes: list[str], where: str) -> None:
        if any(name not in row for name in self.columns) or not self.asked(row):
            return
        if self.refuses:
            raise RequestError(
                f"The row{where} is refused: {self.reason} ([clean.rows.{self.name}]).",
                status=422,
                field=self.columns[0] if self.columns else "",
            )
        notes.append(f"the row is one of [clean.rows.{self.name}]: {self.reason}")


def _kind_of_row(name: str, rules: RequestRules) -> _KindOfRow:
    rule = rules.rows[name]
    columns = named_in(rule.where)
    try:
        asked = plain_truth(rule.where)
    except NotPlainError:
        asked = _by_polars(rule.where, {one: rules.types.get(one, "boolean") for one in columns})
    reason = rule.reason or f"the table has no rows where {rule.where}"
    return _KindOfRow(name, columns, asked, rule.request == "refuse", reason)


def _by_polars(where: str, types: Mapping[str, ColumnType]) -> Term:
    def asked(row: Row) -> Any:
        import polars as pl  # noqa: PLC0415 - servers of models without such conditions do without

        from heptad.data.columns.column_types import STORED  # noqa: PLC0415 - it needs Polars
        from heptad.data.columns.conditions import compile_condition  # noqa: PLC0415 - it needs Polars

        stored = {name: STORED[kind] for name, kind in types.items()}
        cells = {name: as_moment(row[name]) if types[name] == "datetime" else row[name] for name in types}
        one = pl.DataFrame([cells], schema=stored, strict=False)
        return one.select(compile_condition(where, stored, "where")).item()

    return asked


def _stages(rules: RequestRules) -> Iterator[list[Single]]:
    """The steps of each stage, whose rules see what all rules of the stages before made of every column."""
    types = rules.types
    given = [(name, kind, rules.columns.get(name, _NO_RULE)) for name, kind in types.items()]
    yield [step for name, kind, rule in given for step in cell_steps(name, kind, rule)]
    yield [_told_by(name, rules) for name, _, rule in given if rule.told_by and set(rule.told_by) <= types.keys()]
    yield [outlier_step(name, kind, rule, rules.fitted) for name, kind, rule in given if rule.outliers]
    yield [_filled(name, rules) for name, _, rule in given if rule.fill is not None or rule.fill_from in types]
    yield [step for name, kind, rule in given for step in disguise_steps(name, kind, rule)]


def _told_by(name: str, rules: RequestRules) -> Single:
    """The value that the row's group agrees on; without an agreement the value stays."""
    by, votes = rules.columns[name].told_by, rules.fitted.votes.get(name, {})
    texts = [(one, _TEXT_OF[rules.types[one]]) for one in by]
    read = _VALUE_OF[rules.types[name]]

    def told(value: Any, row: Row) -> Any:
        cells = [row.get(one) for one, _ in texts]
        if None in cells:
            return value
        winner = votes.get(_BETWEEN.join(text(cell) for cell, (_, text) in zip(cells, texts, strict=True)))
        return value if winner is None else read(winner)

    return Single("told_by", name, told)


def _filled(name: str, rules: RequestRules) -> Single:
    """A constant or the value of another column, where there is none."""
    rule, kind = rules.columns[name], rules.types[name]
    if rule.fill is not None:
        constant = int(rule.fill) if kind == "integer" else float(rule.fill) if kind == "number" else rule.fill
        return Single("fill", name, lambda value, _: constant if value is None else value)
    other = rules.types[rule.fill_from]
    alike = other == kind or {other, kind} <= _TEXTS or (other, kind) == ("integer", "number")
    cast = by_polars(lambda value: value.cast(stored_as(kind), strict=False), other)

    def filled(value: Any, row: Row) -> Any:
        stands_in = row.get(rule.fill_from)
        return value if value is not None or stands_in is None else stands_in if alike else cast(stands_in)

    return Single("fill_from", name, filled)


_TEXT_OF: Mapping[ColumnType, Callable[[Any], str]] = {
    "text": str,
    "category": str,
    "integer": lambda value: f"{value:.0f}" if type(value) is float else str(value),
    "boolean": lambda value: str(value).lower(),
    "number": by_polars(lambda value: value.cast(stored_as("text")), "number"),
    "datetime": by_polars(lambda value: value.cast(stored_as("text")), "datetime"),
}
"""A value as a part of its group's name."""
_VALUE_OF: Mapping[ColumnType, Callable[[str], Any]] = {
    "text": str,
    "category": str,
    "integer": int,
    "number": as_number,
    "boolean": by_polars(lambda text: text.cast(stored_as("boolean"))),
    "datetime": by_polars(lambda text: text.cast(stored_as("datetime"))),
}
"""The value that a vote's text stands for."""
