"""Rules for columns that are written in several ways, or in one with few exceptions."""

import msgspec
import polars as pl
import pytest

from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.rules import repair_cells
from heptad.data.cleaning.suggesting.notations import notation_rules

ROWS = 200
OUNCES = {"units": {"oz": 1.0, "oz.": 1.0, "Ounce": 1.0}, "unit": "oz"}


def rules_of(values: list[str], right: set[str] | None = None):
    return list(notation_rules(pl.DataFrame({"a": values}), {"a": right or set()}))


def sizes() -> list[str]:
    return [f"{n} g" if n % 3 else f"{n / 1000}kg" for n in range(1, ROWS + 1)]


def days() -> list[str]:
    written = [(1 + n % 28, 1 + n % 12) for n in range(ROWS)]
    return [f"2021-{m:02}-{d:02}" if n % 4 else f"{d:02}.{m:02}.2021" for n, (d, m) in enumerate(written)]


def codes() -> list[str]:
    return [f"AB-{n:04}" for n in range(ROWS)] + ["AB0007", "?"]


def test_units_that_turn_into_each_other_are_proposed() -> None:
    """In the commonest; a rule that somebody can accept says the same of every value."""
    (rule,) = rules_of([*sizes(), "", "heavy"])
    assert rule.settings == {"units": {"g": 1.0, "kg": 1000.0}, "unit": "g"}
    assert (rule.cells, 0.95 < rule.precision < 1, rule.repaired) == (ROWS + 1, True, round(ROWS / (ROWS + 1), 3))
    assert dict(rule.examples).items() <= {value: f"{n:g}" for n, value in enumerate(sizes(), 1)}.items()


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ([f"{n}.0 oz" for n in range(60)], {"units": {"oz": 1.0}, "unit": "oz"}),
        ([f"{n} crates" for n in range(60)], None),
        ([f"{n} {('oz', 'oz.', 'Ounce')[n % 3]}" for n in range(60)], OUNCES),
        ([f"{n} pcs" for n in range(60)], {"units": {"pcs": 1.0}, "unit": "pcs"}),
        ([f"{n} {('pcs', 'box')[n % 2]}" for n in range(60)], None),
        ([f"{n} {('kg', 'm')[n % 2]}" for n in range(60)], None),
        ([f"{n}" for n in range(60)], None),
        ([f"{n} g" if n % 3 else f"{n}" for n in range(60)], {"units": {"g": 1.0}, "unit": "g"}),
        ([f"{n % 3} g" for n in range(60)], None),
        (["abc"] * 60, None),
    ],
)
def test_what_is_no_quantity_is_not_read_as_one(values: list[str], settings: dict | None) -> None:
    """Units of different kinds, unknown ones side by side, plain numbers, few values."""
    assert [one.settings for one in rules_of(values)] == ([settings] if settings else [])


def test_days_in_two_formats_are_proposed() -> None:
    """Where they are told apart; where day and month could be either nothing is."""
    (rule,) = rules_of(days())
    assert rule.settings == {"dates": ["%Y-%m-%d", "%d.%m.%Y"]}
    assert (rule.cells, rule.repaired) == (ROWS // 4, 1.0)
    assert rules_of([f"2021-01-{1 + n % 28:02}" for n in range(ROWS)]) == []
    slashes = [f"{1 + n % 12:02}/{1 + n // 12 % 12:02}/2021" for n in range(ROWS)]
    either = [one if n % 2 else f"2021-01-{1 + n % 28:02}" for n, one in enumerate(slashes)]
    assert rules_of(either) == []


def test_codes_of_one_shape_are_proposed() -> None:
    """With what does not fit; without an exception there is nothing to say."""
    (rule,) = rules_of(codes())
    assert rule.settings == {"regex": "[A-Z]{2}\\-[0-9]{4}"}
    assert (rule.cells, rule.repaired, set(rule.examples)) == (2, None, {("AB0007", ""), ("?", "")})
    assert rules_of(codes()[:ROWS]) == []
    assert rules_of([*codes()[:ROWS], *(f"x{n}" for n in range(20))]) == []


def test_what_a_person_called_right_stays() -> None:
    """Then the rule that would change it is not proposed."""
    assert rules_of(sizes(), {"1 g"}) == []
    assert rules_of(codes(), {"AB0007"}) == []
    assert rules_of(codes(), {"AB-0007"}) != []


@pytest.mark.parametrize("values", [sizes(), days(), codes()], ids=["units", "dates", "regex"])
def test_a_proposed_rule_does_what_its_examples_say(values: list[str]) -> None:
    """Applied as `[clean.columns]` applies it."""
    (rule,) = rules_of(values)
    settings = msgspec.convert(rule.settings, CleanRule)
    rows, _ = repair_cells(pl.LazyFrame({"a": values}), CleanSettings(columns={"a": settings}))
    made = rows.collect()["a"]
    for value, proposal in rule.examples:
        found = made[values.index(value)]
        if proposal == "":
            assert found is None
        elif isinstance(found, float):
            assert found == pytest.approx(float(proposal))
        else:
            assert f"{found:%Y-%m-%d}" == proposal


def test_a_column_may_be_called_count() -> None:
    """The name that counts of values have too."""
    (rule,) = notation_rules(pl.DataFrame({"count": sizes()}), {})
    assert (rule.column, rule.name) == ("count", "units")
