"""Reaches k-anonymity by saying less: the coarsening of columns that loses least, found in the lattice of all of them.

Each column has a ladder of rules of `[clean]`: bands of numbers, prefixes of texts, periods of times, and at its top
nothing at all. A node of the lattice is a step on each ladder; the loss of a node is how far up it stands, on average
(`Prec` of Sweeney 2002). Nodes are tried in the order of their loss, so that the first that suffices loses least (as
in Samarati 2001, with a heap instead of a search by height); what is tried are counts of distinct values, and not rows.
"""

import heapq
from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from heptad.core.errors import InputError, RefusedError
from heptad.data.cleaning import disguises
from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.steps import Given
from heptad.data.privacy.anonymity import ROWS, check_columns, different
from heptad.data.records import Fitted

GONE = "left out"
_BANDS = (1, 2, 5, 10, 20)
"""Widths of bands, in hundredths of the range of a column, rounded to one digit."""
_MOST = 20_000
"""Nodes that are tried; six columns of six steps have twice as many."""
_VALUE, _TIMES = "\0value", "\0times"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a ladder: settings of `[clean.columns.NAME]`; `None`: the column is left out."""

    rule: CleanRule | None

    def words(self) -> str:
        """As heptad.toml has it."""
        if self.rule is None:
            return GONE
        said = {"band": self.rule.band, "prefix": self.rule.prefix, "period": self.rule.period}
        return ", ".join(
            f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value:g}"
            for name, value in said.items()
            if value
        )


class Generalised(msgspec.Struct, frozen=True, kw_only=True):
    """What suffices and loses least."""

    steps: dict[str, Step]
    """Column to what is done to it; columns that stay as they are have no words."""
    k: int
    l: int | None  # noqa: E741 - it is what the literature calls it
    suppressed: int
    """Rows of classes that stay too small or too alike, which have to be left out."""
    rows: int
    loss: float
    """0: all columns as they are, 1: all left out."""
    tried: int


def generalise(
    rows: pl.LazyFrame, quasi: Sequence[str], k: int, sensitive: str = "", least: int = 1, suppress: float = 0.0
) -> Generalised:
    """The coarsening of `quasi` that makes rows k-anonymous, and l-diverse with `least`, and loses least.

    A share `suppress` of the rows, 0 to 1, may be left out instead. Raises `RefusedError` where nothing suffices, and
    `InputError` for columns that cannot be meant, and for `least` without the column that it is about.
    """
    check_columns(rows, quasi, sensitive)
    if least > 1 and not sensitive:
        raise InputError(f"{least} different values are asked for, of no column.", allowed="a sensitive column with it")
    ladders = {column: _ladder(rows, column) for column in quasi}
    counted = _counted(rows, quasi, sensitive)
    total = int(counted[_TIMES].sum())
    waiting: list[tuple[float, tuple[int, ...]]] = [(0.0, (0,) * len(quasi))]
    seen, tried = {waiting[0][1]}, 0
    while waiting and tried < _MOST:
        loss, node = heapq.heappop(waiting)
        tried += 1
        steps = {column: ladders[column][at] for column, at in zip(quasi, node, strict=True)}
        found = _classes(counted, steps)
        good = found.filter((pl.col(ROWS) >= k) & (pl.col(_VALUE) >= (least if least > 1 else 0)))
        kept = int(good[ROWS].sum())
        if kept and total - kept <= suppress * total:
            return Generalised(
                steps=steps,
                k=int(good[ROWS].min()),  # type: ignore[arg-type] # there are some
                l=int(good[_VALUE].min()) if sensitive else None,  # type: ignore[arg-type] # as above
                suppressed=total - kept,
                rows=total,
                loss=loss,
                tried=tried,
            )
        for place, column in enumerate(quasi):
            above = (*node[:place], node[place] + 1, *node[place + 1 :])
            if above[place] < len(ladders[column]) and above not in seen:
                seen.add(above)
                heights = [at / (len(ladders[name]) - 1) for name, at in zip(quasi, above, strict=True)]
                heapq.heappush(waiting, (sum(heights) / len(quasi), above))
    raise RefusedError(
        f"No coarsening of {', '.join(quasi)} makes {total:,} rows {k}-anonymous"
        + (f" with {least} different values of {sensitive} in each class." if least > 1 else "."),
        remedy="ask for less, let more rows be left out (--suppress), or name fewer columns",
    )


def anonymise(rows: pl.LazyFrame, found: Generalised, k: int, sensitive: str = "", least: int = 1) -> pl.LazyFrame:
    """The rows as they would be: columns coarsened or left out, rows of classes that stay too small left out."""
    types = rows.collect_schema()
    made = rows.with_columns(
        *(_coarse(column, types[column], step).alias(column) for column, step in found.steps.items() if step.rule)
    ).drop([column for column, step in found.steps.items() if step.rule is None])
    quasi = [column for column, step in found.steps.items() if step.rule is not None]
    if not quasi:
        return made
    enough = pl.len().over(quasi) >= k
    if sensitive and least > 1:  # a class whose values are all missing has none, and nothing to learn
        enough &= different(sensitive).over(quasi) >= least
    return made.filter(enough)


def _ladder(rows: pl.LazyFrame, column: str) -> list[Step]:
    """The steps of a column, each coarser than the one before."""
    kind = rows.collect_schema()[column]
    rules: list[CleanRule] = []
    if kind.is_numeric():
        low, high = rows.select(low=pl.col(column).min(), high=pl.col(column).max()).collect().row(0)
        widths = [_round(part / 100 * (high - low)) for part in _BANDS] if low is not None and high > low else []
        whole = kind.is_integer()
        rules = [CleanRule(band=one) for one in dict.fromkeys(widths) if not whole or (one > 1 and one == int(one))]
    elif isinstance(kind, pl.Datetime):
        rules = [CleanRule(period=one) for one in ("day", "month", "quarter", "year")]
    elif kind == pl.String:
        longest = int(rows.select(pl.col(column).str.len_chars().max()).collect().item() or 0)
        rules = [CleanRule(prefix=one) for one in range(min(longest - 1, 5), 0, -1)]
    return [Step(rule=CleanRule()), *(Step(rule=rule) for rule in rules), Step(rule=None)]


def _round(width: float) -> float:
    """The width with one digit."""
    return float(f"{width:.0e}")


def _coarse(column: str, kind: pl.DataType, step: Step) -> pl.Expr:
    rule = step.rule
    if rule is None:
        return pl.lit(GONE)
    given, value = Given(column, kind, rule, Fitted()), pl.col(column)
    if rule.band:
        return disguises.band(given).repair(value)
    if rule.period:
        return disguises.period(given).repair(value)
    return disguises.prefix(given).repair(value) if rule.prefix else value


def _counted(rows: pl.LazyFrame, quasi: Sequence[str], sensitive: str) -> pl.DataFrame:
    """Each combination that there is, with how often it is."""
    value = pl.col(sensitive) if sensitive else pl.lit(0)
    grouped = rows.select(*quasi, value.alias(_VALUE)).group_by([*quasi, _VALUE]).agg(pl.len().alias(_TIMES))
    return grouped.collect(engine="streaming")


def _classes(counted: pl.DataFrame, steps: Mapping[str, Step]) -> pl.DataFrame:
    """Rows and different sensitive values of each class of a node."""
    kinds = counted.schema
    coarse = [_coarse(column, kinds[column], step).alias(column) for column, step in steps.items()]
    grouped = counted.lazy().with_columns(coarse).group_by(list(steps))
    return grouped.agg(pl.col(_TIMES).sum().alias(ROWS), different(_VALUE)).collect()
