"""Rules for texts: blanks, marks for nothing, case, spellings, shapes."""

import polars as pl

from heptad.data.cleaning.notations import read_numbers
from heptad.data.cleaning.steps import Given, Step, differs, lost
from heptad.data.columns.lookups import look_up, replace_known

_CASES = {
    "lower": lambda value: value.str.to_lowercase(),
    "upper": lambda value: value.str.to_uppercase(),
    "title": lambda value: value.str.to_titlecase(),
}


def strip(given: Given) -> Step:
    return Step("strip", given.column, lambda value: value.str.strip_chars())


def trim(given: Given) -> Step:
    return Step("trim", given.column, lambda value: value.str.replace_all(r"\s+", " ").str.strip_chars())


def missing(given: Given) -> Step:
    """Marks become null: texts that are written so, and whatever is one of the numbers, in texts however written."""
    rule = given.rule
    texts = [mark for mark in rule.missing if isinstance(mark, str)]
    numbers = [float(mark) for mark in rule.missing if not isinstance(mark, str)]

    def marked(value: pl.Expr) -> pl.Expr:
        if given.kind != pl.String:
            return value.cast(pl.Float64).is_in(numbers)
        found = value.is_in(texts)
        return found | read_numbers(value, rule).is_in(numbers).fill_null(value=False) if numbers else found

    return Step("missing", given.column, lambda value: pl.when(~marked(value)).then(value), lost)


def lower(given: Given) -> Step:
    return Step("lower", given.column, _CASES["lower"])


def case(given: Given) -> Step:
    return Step("case", given.column, _CASES[given.rule.case])


def replace(given: Given) -> Step:
    return Step("replace", given.column, lambda value: replace_known(value, given.rule.replace))


def canonical(given: Given) -> Step:
    """Spellings become their category; the category itself is listed, too."""
    rule = given.rule
    spellings = {spelling: category for category, written in rule.canonical.items() for spelling in written}
    listed = [*rule.canonical, *spellings]
    replaced = lambda value: replace_known(value, spellings)  # noqa: E731 - the step's repair
    if rule.unlisted == "keep":
        return Step("canonical", given.column, replaced)
    if rule.unlisted == "null":
        every = dict(zip(rule.canonical, rule.canonical, strict=True)) | spellings
        strict = lambda value: look_up(value, every, pl.String())  # noqa: E731
        return Step("canonical", given.column, strict, loses=True)
    return Step(
        "canonical",
        given.column,
        replaced,
        gone=lambda value: ~value.is_in(listed),
        refuses=rule.unlisted == "refuse",
    )


def regex(given: Given) -> Step:
    """Texts that match as a whole stay or become something else."""
    rule = given.rule
    whole = rf"^(?:{rule.regex})$"

    def matched(value: pl.Expr) -> pl.Expr:
        return value.str.replace(whole, rule.becomes) if rule.becomes else value

    def fits(value: pl.Expr) -> pl.Expr:
        return value.str.contains(whole)

    if rule.unmatched == "null":
        return Step(
            "regex",
            given.column,
            lambda value: pl.when(fits(value)).then(matched(value)),
            differs if rule.becomes else lost,
            loses=True,
        )
    if rule.unmatched == "keep":
        return Step("regex", given.column, matched)
    return Step("regex", given.column, matched, gone=lambda value: ~fits(value), refuses=rule.unmatched == "refuse")
