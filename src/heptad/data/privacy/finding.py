"""Finds columns with personal data, each with its evidence and how sure it is; no value is shown or kept."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.data.passes import ask
from heptad.data.privacy.kinds_of_data import (
    MAY_NAME_PEOPLE,
    NAME_OF_A_THING,
    NAME_OF_SOMEBODY,
    NAMES,
    NAMES_THINGS,
    SHAPES,
    WORDS,
    Called,
    Category,
    Shape,
    plain_name,
)

LOOKED_AT = 2000
"""Values of one shape whose check digits are computed."""
_SURE, _LIKELY, _NAMED, _WRITTEN, _UNIQUE = 0.98, 0.8, 0.6, 0.4, 0.3
_MANY = 1_000_000
_LEAST = 0.05
"""A smaller share of values of a shape is chance, or a slip of a single person's pen."""
_FEW, _FEW_SHARE = 3, 0.02
"""So few different values, or so small a share of the rows, are no names of people."""
_HALF = 0.5
"""The share of values written like names of people from which on a column holds some."""
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
            if self._types[name] == pl.String and _may_name_people(name):
                nobody = text.str.contains(NAME_OF_A_THING)
                wanted.append((text.str.contains(NAME_OF_SOMEBODY) & ~nobody).sum().alias(f"people {place}"))
                wanted.append((text.str.contains(WORDS) & ~nobody).sum().alias(f"letters {place}"))
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
            one = _with_name(name, one)
            if text is not None and count:
                one = _with_people(name, text, count, values, one) or _by_statistics(name, text, count, values)
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
            evidence.append(f"checked digit by digit, {right:.0%} of those are right")
        confidence = round((_SURE if shape.proves else _LIKELY) * (0.7 + 0.3 * min(1.0, share * right)), 2)
        if best is None or confidence > best.confidence:
            best = PersonalColumn(
                column=name, kind=shape.kind, category=shape.category, confidence=confidence, evidence=evidence
            )
    return best


def _with_name(name: str, found: PersonalColumn | None) -> PersonalColumn | None:
    """What the column's name adds: more confidence where it says the same, a finding of its own otherwise."""
    called = _called(name)
    if called is None:
        return found
    said = f"its name says {called.kind}"
    if found is None:
        return PersonalColumn(
            column=name, kind=called.kind, category=called.category, confidence=_NAMED, evidence=[said]
        )
    surer = min(0.99, round(found.confidence + 0.1, 2))
    return msgspec.structs.replace(found, confidence=surer, evidence=[*found.evidence, said])


def _called(name: str) -> Called | None:
    return next((one for one in NAMES if one.pattern.search(plain_name(name))), None)


def _may_name_people(name: str) -> bool:
    called, plain = _called(name), plain_name(name)
    if called is not None:
        return called.kind == "name"
    return bool(MAY_NAME_PEOPLE.search(plain)) and not NAMES_THINGS.search(plain)


def _with_people(
    name: str, place: int, count: int, values: Mapping[str, Any], found: PersonalColumn | None
) -> PersonalColumn | None:
    """What values add that are written as names of people are, in a column that may be called so for that reason."""
    if f"people {place}" not in values:
        return found
    people, letters = values[f"people {place}"] / count, values[f"letters {place}"] / count
    written = f"{people:.0%} of its values are written like names of people"
    if found is not None:
        if found.kind != "name" or people < _HALF:
            return found
        surer = round(found.confidence + 0.1, 2)
        return msgspec.structs.replace(found, confidence=surer, evidence=[*found.evidence, written])
    sure, evidence = _WRITTEN, written
    if people < _HALF:
        unique = min(values[f"unique {place}"], count)
        if plain_name(name) not in {"name", "names"} or letters < _HALF or _is_few(unique, count):
            return None
        sure, evidence = _UNIQUE, f"{letters:.0%} of its values have letters only"
    return PersonalColumn(
        column=name,
        kind="name",
        category="direct",
        confidence=sure,
        evidence=["its name may be about people, or about things", evidence],
    )


def _is_few(unique: int, count: int) -> bool:
    return unique <= _FEW or unique < _FEW_SHARE * count


def _doubted(found: PersonalColumn, count: int, unique: int) -> PersonalColumn:
    """Less sure of what should differ from person to person, and has few values."""
    sure = found.confidence > _LIKELY + 0.1 or found.category != "direct"
    if sure or not count or not _is_few(unique, count):
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
    # Of many millions of different values Polars estimates up to 15% too few.
    if count >= 20 and unique >= (0.95 if count < _MANY else 0.8) * count:
        return PersonalColumn(
            column=name,
            kind="identifier",
            category="indirect",
            confidence=_UNIQUE,
            evidence=[f"about {unique:,} different values in {count:,} rows"],
        )
    return None
