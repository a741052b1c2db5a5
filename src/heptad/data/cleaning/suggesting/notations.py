"""Columns that are written in several ways, or in one with few exceptions: units, dates, codes of one shape.

Each makes one rule for its column, by the share of the cells that it reads; it flags no cell by itself.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping

import polars as pl

from heptad.data.cleaning.suggesting.rules import SHOWN, SuggestedRule
from heptad.data.columns.dates import DAYS

LEAST_CELLS, LEAST_DIFFERENT = 20, 10
"""Cells, and different values, below which nothing is said of a column."""
READS = 0.9
"""The share of the cells that a notation has to read."""
SHAPED = 0.98
"""The share of the cells, and of the different values, that a shape has to have."""
CODES = 50
"""Different values below which a column has categories and no codes."""
MOST_UNITS, MOST_FORMATS = 6, 4
_OUNCE = 28.349523125
_FAMILIES: tuple[Mapping[str, float], ...] = (
    {"t": 1e6, "kg": 1e3, "g": 1.0, "mg": 1e-3, "lb": 453.59237, "lbs": 453.59237, "oz": _OUNCE, "ounce": _OUNCE},
    {"km": 1e3, "m": 1.0, "cm": 0.01, "mm": 1e-3, "mi": 1609.344, "ft": 0.3048, "in": 0.0254},
    {"l": 1.0, "dl": 0.1, "cl": 0.01, "ml": 1e-3},
    {"h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "min": 60.0, "s": 1.0, "sec": 1.0, "ms": 1e-3},
)
"""Units that turn into each other; of others, only one may stand in a column."""
_QUANTITY = r"^\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*((?:[A-Za-z°%]{1,5}\.?)?)\s*$"
_BARE = r"^[+-]?(?:\d+\.?\d*|\.\d+)$"
_SIGNS = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|.", re.DOTALL)


def notation_rules(frame: pl.DataFrame, right: Mapping[str, set[str]]) -> Iterator[SuggestedRule]:
    """Rules for columns of texts, empty where missing; `right`: values that a person called right as they are.

    A rule that would change such a value is not proposed.
    """
    for column in frame:
        values = column.filter(column != "").alias("").value_counts(sort=True)
        counts: dict[str, int] = dict(values.iter_rows())
        if sum(counts.values()) < LEAST_CELLS or len(counts) < LEAST_DIFFERENT:
            continue
        kept = right.get(column.name, set())
        for propose in (_units, _dates, _shape):
            if rule := propose(column.name, counts, kept):
                yield rule
                break


def _units(name: str, counts: Mapping[str, int], right: set[str]) -> SuggestedRule | None:
    """Numbers with a unit behind them, in one unit or in several that turn into each other."""
    found = {value: match for value in counts if (match := re.match(_QUANTITY, value))}
    units: Counter[str] = Counter()
    for value, match in found.items():
        units[match[2]] += counts[value]
    named = Counter({unit: count for unit, count in units.items() if unit})
    if not named or sum(named.values()) * 2 < sum(counts.values()) or len(named) > MOST_UNITS:
        return None
    kept = named.most_common(1)[0][0]
    sizes = next((one for one in _FAMILIES if all(_bare(unit) in one for unit in named)), None)
    if sizes is None and len(named) > 1:
        return None
    factors = {unit: float(f"{sizes[_bare(unit)] / sizes[_bare(kept)]:.12g}") if sizes else 1.0 for unit in named}
    changed = [value for value in counts if not re.match(_BARE, value)]
    examples = {value: _number(found[value], factors) if value in found else "" for value in changed}
    evidence = f"Numbers with {'a unit' if len(named) == 1 else 'units'} behind them, read as numbers in {kept}"
    return _rule(name, "units", evidence, counts, set(found), examples, right, {"units": factors, "unit": kept})


def _bare(unit: str) -> str:
    return unit.lower().rstrip(".")


def _number(match: re.Match[str], factors: Mapping[str, float]) -> str:
    return f"{float(match[1]) * factors.get(match[2], 1.0):.10g}"


def _dates(name: str, counts: Mapping[str, int], right: set[str]) -> SuggestedRule | None:
    """Days in two formats or more; none where day and month could be either."""
    texts = pl.DataFrame({"text": list(counts), "n": list(counts.values())})
    reads = texts.select(
        pl.col("text").str.to_date(one, strict=False).is_not_null().alias(f"{place}") for place, one in enumerate(DAYS)
    )
    chosen: list[str] = []
    left = pl.Series([True] * len(texts))
    while len(chosen) < MOST_FORMATS:
        more = {one: int((texts["n"] * (reads[f"{place}"] & left)).sum()) for place, one in enumerate(DAYS)}
        best = max(more, key=lambda one: more[one])
        if not more[best] or (chosen and more[best] < max(2, 0.01 * sum(counts.values()))):
            break
        if sum(one == more[best] for one in more.values()) > 1:
            return None
        chosen.append(best)
        left &= ~reads[f"{DAYS.index(best)}"]
    if len(chosen) < 2:
        return None
    read = set(texts.filter(~left)["text"])
    others = [value for value in counts if value not in read or not _reads(value, chosen[0])]
    examples = {value: _day(value, chosen) for value in others}
    return _rule(
        name, "dates", f"Days in {len(chosen)} formats, read as times", counts, read, examples, right, {"dates": chosen}
    )


def _reads(value: str, pattern: str) -> bool:
    return pl.Series([value]).str.to_date(pattern, strict=False)[0] is not None


def _day(value: str, patterns: list[str]) -> str:
    days = (pl.Series([value]).str.to_date(pattern, strict=False)[0] for pattern in patterns)
    return next((f"{day}" for day in days if day is not None), "")


def _shape(name: str, counts: Mapping[str, int], right: set[str]) -> SuggestedRule | None:
    """Codes of one shape, digits among them, with few exceptions; plain numbers are none."""
    shapes: Counter[str] = Counter()
    of = {value: _shape_of(value) for value in counts}
    for value, shape in of.items():
        shapes[shape] += counts[value]
    shape, cells = shapes.most_common(1)[0]
    others = [value for value in counts if of[value] != shape]
    if not others or cells < SHAPED * sum(counts.values()) or "[0-9]" not in shape:
        return None
    fits = {value for value in counts if of[value] == shape}
    if len(counts) < CODES or len(others) > (1 - SHAPED) * len(counts) or all(re.match(_BARE, one) for one in fits):
        return None
    evidence = f"All but few have the shape {shape}; others become missing"
    return _rule(name, "regex", evidence, counts, fits, dict.fromkeys(others, ""), right, {"regex": shape})


def _shape_of(value: str) -> str:
    """A regular expression of the signs of a value: runs of digits and of letters with their length."""
    if len(value) > 40:
        return ""
    parts = []
    for run in _SIGNS.findall(value):
        kind = "[0-9]" if run[0].isdigit() else "[A-Z]" if run[0].isupper() else "[a-z]" if run[0].islower() else ""
        parts.append(f"{kind}{{{len(run)}}}" if kind else re.escape(run))
    return "".join(parts)


def _rule(
    name: str,
    kind: str,
    evidence: str,
    counts: Mapping[str, int],
    read: set[str],
    examples: Mapping[str, str],
    right: set[str],
    settings: dict[str, object],
) -> SuggestedRule | None:
    cells = sum(counts.values())
    share = sum(counts[value] for value in read) / cells
    changed = sum(counts[value] for value in examples)
    if share < READS or not changed or right & examples.keys():
        return None
    put_right = sum(counts[value] for value in examples if value in read) / changed
    return SuggestedRule(
        column=name,
        name=kind,
        evidence=evidence,
        cells=changed,
        precision=round(_at_least(share, cells), 3),
        repaired=round(put_right, 3) if kind != "regex" else None,
        examples=tuple(sorted(examples.items(), key=lambda one: (-counts[one[0]], one[0])))[:SHOWN],
        settings=settings,
    )


def _at_least(share: float, cells: int) -> float:
    """The lower end of a 95% interval of a share (Wilson 1927)."""
    z = 1.96
    middle = share + z * z / (2 * cells)
    half = z * math.sqrt(share * (1 - share) / cells + z * z / (4 * cells * cells))
    return (middle - half) / (1 + z * z / cells)
