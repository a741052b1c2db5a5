"""Finds columns with personal data, each with its evidence and how sure it is; no value is shown or kept."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.data.passes import ask
from heptad.data.privacy.kinds_of_data import NAMES, SHAPES, Category, Shape, plain_name

LOOKED_AT = 2000
"""Values of one shape whose check digits are computed."""
_SURE, _LIKELY, _NAMED, _UNIQUE = 0.98, 0.8, 0.6, 0.3
_LEAST = 0.05
"""A smaller share of values of a shape is chance, or a slip of a single person's pen."""
_FEW, _FEW_SHARE = 3, 0.02
"""So few different values, or so small a share of the rows, are no names of people."""
_WORDS = 3.0
"""Average words from which on a text is prose, in which anything may be written."""


class PersonalColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column that likely holds personal data."""

    column: str
    kind: str
    category: Category
    confidence: float
    """0 to 1: a check digit or an unmistakable shape in nearly all values, down to a name alone. Not a probability."""
    evidence: list[str]
    """What speaks for it, in words and shares."""
    used_by: list[str] = []
    """Model versions that take it as an input; where there are none, it could be left out."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The columns found, surest first."""

    rows: int
    columns: list[PersonalColumn]


def find_personal(rows: pl.LazyFrame) -> Finding:
    """Columns with personal data: by the shapes of values and their check digits, by names, by statistics.

    All rows are read once, in parts; check digits are computed for the first values of each shape.
    """
    found: Finding = ask(rows, Looking(rows.collect_schema()))[0]
    return found


class Looking:
    """Asks of rows with these types which of their columns hold personal data."""

    def __init__(self, types: Mapping[str, pl.DataType]) -> None:
        self._types = types
        self._texts = [name for name, kind in types.items() if kind == pl.String or kind.is_integer()]

    def expressions(self) -> Sequence[pl.Expr]:
        wanted = [pl.len().alias("rows")]
        for place, name in enumerate(self._types):
            wanted.append(pl.col(name).count().alias(f"count {place}"))
        for place, name in enumerate(self._texts):
            text = _text(name)
            wanted += [text.str.contains(shape.pattern).sum().alias(f"shape {place} {n}") for n, shape in _numbered()]
            words = (text.str.count_matches(r"\s+") + 1).mean()
            wanted += [words.alias(f"words {place}"), text.approx_n_unique().alias(f"unique {place}")]
        return wanted

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        return [
            rows.select(_text(name)).filter(pl.col(name).str.contains(shape.pattern)).head(LOOKED_AT)
            for name in self._texts
            for _, shape in _checked()
        ]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> Finding:
        passed: dict[tuple[str, int], float] = {}
        given = iter(tables)
        for name in self._texts:
            for number, shape in _checked():
                matched = next(given)[name].to_list()
                passed[name, number] = sum(map(shape.check, matched)) / len(matched) if matched else 0.0
        found = []
        for place, name in enumerate(self._types):
            count = values[f"count {place}"]
            text = self._texts.index(name) if name in self._texts else None
            one = _by_shape(name, text, count, values, passed) if text is not None and count else None
            one = _with_name(name, one) or (_by_statistics(name, text, count, values) if text is not None else None)
            if one and text is not None:
                one = _doubted(one, count, min(values[f"unique {text}"], count))
            found += [one] if one else []
        ranked = sorted(found, key=lambda one: (-one.confidence, one.column))
        return Finding(rows=values["rows"], columns=ranked)


def _numbered() -> list[tuple[int, Shape]]:
    return list(enumerate(SHAPES))


def _checked() -> list[tuple[int, Shape]]:
    return [(number, shape) for number, shape in _numbered() if shape.check.__name__ != "always"]


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.strip_chars()


def _by_shape(
    name: str, place: int, count: int, values: Mapping[str, Any], passed: Mapping[tuple[str, int], float]
) -> PersonalColumn | None:
    """The shape that most values have, check digits counted in."""
    best: PersonalColumn | None = None
    for number, shape in _numbered():
        share = values[f"shape {place} {number}"] / count
        right = passed.get((name, number), 1.0)
        if share * right < _LEAST or (shape.check.__name__ != "always" and right < 0.5):
            continue
        evidence = [f"{share:.0%} of its values look like one"]
        if (name, number) in passed:
            evidence.append(f"the check digit is right in {right:.0%} of those")
        confidence = round((_SURE if shape.proves else _LIKELY) * (0.7 + 0.3 * min(1.0, share * right)), 2)
        if best is None or confidence > best.confidence:
            best = PersonalColumn(
                column=name, kind=shape.kind, category=shape.category, confidence=confidence, evidence=evidence
            )
    return best


def _with_name(name: str, found: PersonalColumn | None) -> PersonalColumn | None:
    """What the column's name adds: more confidence where it says the same, a finding of its own otherwise."""
    called = next((one for one in NAMES if one.pattern.search(plain_name(name))), None)
    if called is None:
        return found
    said = f"its name says {called.kind}"
    if found is None:
        return PersonalColumn(
            column=name, kind=called.kind, category=called.category, confidence=_NAMED, evidence=[said]
        )
    surer = min(0.99, round(found.confidence + 0.1, 2))
    return msgspec.structs.replace(found, confidence=surer, evidence=[*found.evidence, said])


def _doubted(found: PersonalColumn, count: int, unique: int) -> PersonalColumn:
    """Less sure of what should differ from person to person, and has few values."""
    few = unique <= _FEW or unique < _FEW_SHARE * count
    sure = found.confidence > _LIKELY + 0.1 or found.category != "direct"
    if sure or not count or not few:
        return found
    doubt = f"but it has only about {unique:,} different values in {count:,} rows"
    return msgspec.structs.replace(found, confidence=round(found.confidence / 2, 2), evidence=[*found.evidence, doubt])


def _by_statistics(name: str, place: int, count: int, values: Mapping[str, Any]) -> PersonalColumn | None:
    """Texts that are different in nearly every row, or that are prose."""
    words, unique = values[f"words {place}"] or 0.0, min(values[f"unique {place}"], count)
    if words >= _WORDS:
        return PersonalColumn(
            column=name,
            kind="free text",
            category="indirect",
            confidence=_UNIQUE,
            evidence=[f"{words:.1f} words on average: anything may be written in it"],
        )
    if count >= 20 and unique >= 0.95 * count:
        return PersonalColumn(
            column=name,
            kind="identifier",
            category="indirect",
            confidence=_UNIQUE,
            evidence=[f"about {unique:,} different values in {count:,} rows"],
        )
    return None
