"""Which suggested rules can be accepted together."""

from collections.abc import Collection, Mapping

import polars as pl
import pytest

from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.suggesting.choosing import choose_rules
from heptad.data.cleaning.suggesting.rules import SuggestedRule

UNITS = {"units": {"kg": 1.0, "g": 0.001}, "unit": "kg"}
TEXTS, NUMBERS = {"c": pl.String()}, {"c": pl.Float64()}


def rule(*, precision: float = 0.9, repaired: float | None = 0.9, **settings: object) -> SuggestedRule:
    return SuggestedRule("c", "format", "", 1, precision, repaired, (), dict(settings))


def chosen(
    rules: list[SuggestedRule], types: Mapping[str, pl.DataType] = TEXTS, there: CleanRule | None = None
) -> tuple[list[dict[str, object]], list[str]]:
    """The settings that are chosen, and why others are not."""

    def types_of(text: Collection[str]) -> dict[str, pl.DataType]:
        return {name: pl.String() if name in text else kind for name, kind in types.items()}

    found, left = choose_rules(rules, types_of, CleanSettings(columns={"c": there} if there else {}), 0.8)
    return [one.settings for one in found], [why for _, why in left]


@pytest.mark.parametrize(
    ("precision", "repaired", "sure"), [(0.9, 0.41, 0), (0.7, 0.9, 0), (0.9, 0.8, 1), (0.9, None, 1)]
)
def test_a_rule_has_to_put_right_what_it_replaces(precision: float, repaired: float | None, sure: int) -> None:
    """That its cells are wrong is not enough; a rule that proposes nothing is as sure as that."""
    assert len(chosen([rule(precision=precision, repaired=repaired, replace={"a": "b"})])[0]) == sure


def test_a_rule_has_to_fit_the_type_that_is_stored() -> None:
    """Texts are not replaced in a column of numbers; where a rule reads it, it stays text."""
    settings, why = chosen([rule(replace={"-999.0": "999.0"})], NUMBERS)
    assert settings == []
    assert "replace does not fit a column of Float64" in why[0]
    assert chosen([rule(**UNITS)], NUMBERS) == ([UNITS], [])


def test_no_rule_reads_the_label() -> None:
    """Nor the column that tells when it became known, nor tells the label itself: a request has no label."""
    types = {"c": pl.String(), "y": pl.String(), "known": pl.String()}
    for other, target in (("y", "y"), ("known", "y"), ("y", "c")):
        found, left = choose_rules([rule(told_by=[other])], lambda _: types, CleanSettings(), 0.8, target, "known")
        assert found == []
        assert "told_by" in left[0][1]
    assert choose_rules([rule(told_by=["y"])], lambda _: types, CleanSettings(), 0.8)[1] == []


def test_marks_are_those_of_the_type() -> None:
    """Numbers in a column of numbers, in which a text cannot occur."""
    assert chosen([rule(missing=["-999.0", "N/A"])], NUMBERS) == ([{"missing": [-999.0]}], [])
    assert chosen([rule(missing=["-999.0", "N/A"])]) == ([{"missing": ["-999.0", "N/A"]}], [])
    settings, why = chosen([rule(missing=["N/A"])], NUMBERS)
    assert settings == []
    assert "cannot occur" in why[0]


def test_no_value_is_replaced_that_another_rule_reads() -> None:
    """Nor by one that it cannot read; what helps it read is accepted, and so is what was chosen before."""
    settings, why = chosen([rule(replace={"44000 g": "44000 G"}), rule(**UNITS)])
    assert settings == [UNITS]
    assert "units reads '44000 g'" in why[0]
    assert chosen([rule(replace={"44 kgg": "44 kg"}), rule(**UNITS)])[0] == [UNITS, {"replace": {"44 kgg": "44 kg"}}]
    assert chosen([rule(replace={"44 kgg": "44 KG"}), rule(**UNITS)])[0] == [UNITS]
    there = CleanRule(units={"kg": 1, "g": 0.001}, unit="kg")
    assert chosen([rule(replace={"44000 g": "44000 G"})], there=there)[0] == []
    assert chosen([rule(units={"kg": 1000.0, "g": 1.0}, unit="g")], there=there)[0] == []
    assert chosen([rule(**UNITS)], there=there)[0] == [UNITS]


def test_no_rule_makes_what_another_calls_wrong() -> None:
    """A value that is replaced itself, or a mark for nothing; groups are those of one rule."""
    for first, second in (
        ({"replace": {"a": "b"}}, {"replace": {"b": "c"}}),
        ({"missing": ["b"]}, {"replace": {"a": "b"}}),
        ({"told_by": ["d"]}, {"told_by": ["e"]}),
    ):
        types = {"c": pl.String(), "d": pl.String(), "e": pl.String()}
        assert chosen([rule(**first), rule(**second)], types)[0] == [first]
