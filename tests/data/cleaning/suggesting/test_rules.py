"""Flagged cells gathered into rules."""

import tomllib

import msgspec
import pytest

from heptad.config import Config
from heptad.data.cleaning.suggesting.rules import FlaggedCell, gathered, merged, rule_lines


def cell(row: int, value: str, proposal: str | None, rule: str = "spelling") -> FlaggedCell:
    return FlaggedCell(row, "city", value, proposal, rule, 0.9, None if proposal is None else 0.8)


def rule_of(cells: list[FlaggedCell], kind: str, counts: dict[str, int]):
    (rule,) = gathered(cells, [(kind, ())] * len(cells), {"city": counts})
    return rule


def test_cells_of_a_kind_are_one_rule() -> None:
    """Counted, with examples and what it would be in heptad.toml."""
    rule = rule_of(
        [cell(1, "Bostn", "Boston"), cell(2, "Bostn", "Boston"), cell(3, "Pari", "Paris")],
        "spelling",
        {"Bostn": 2, "Pari": 1},
    )
    assert (rule.cells, rule.precision, rule.repaired) == (3, 0.9, 0.8)
    assert rule.examples[0] == ("Bostn", "Boston")
    assert rule.settings == {"replace": {"Bostn": "Boston", "Pari": "Paris"}}


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        ([cell(1, "Bostn", "Boston")], {"Bostn": 2}),
        ([cell(1, "x", "Boston"), cell(2, "x", "Paris")], {"x": 2}),
        ([cell(1, "x", None, "unusual: odd")], {"x": 1}),
        ([cell(1, "", "Boston")], {"": 1}),
    ],
)
def test_a_rule_that_a_setting_would_say_wrongly_has_none(cells: list[FlaggedCell], counts: dict[str, int]) -> None:
    """Where the same value is right elsewhere, has two repairs or none, or is nothing."""
    assert rule_of(cells, "spelling", counts).settings == {}


def test_blanks_are_one_setting() -> None:
    """Whatever the values."""
    assert rule_of(
        [cell(1, " Boston", "Boston"), cell(2, "Rome ", "Rome")], "format", {" Boston": 1, "Rome ": 1}
    ).settings == {"strip": True}


def test_marks_and_groups_have_settings_of_their_own() -> None:
    """Which are merged: marks together, and one group of columns."""
    marks = rule_of([cell(1, "?", ""), cell(2, "N/A", "")], "missing", {"?": 1, "N/A": 1})
    assert marks.settings == {"missing": ["?", "N/A"]}
    (told,) = gathered([cell(1, "x", "Boston")], [("told", ("zip",))], {"city": {"x": 5}})
    assert told.settings == {"told_by": ["zip"]}
    (other,) = gathered([cell(1, "x", "Boston")], [("told", ("street",))], {"city": {"x": 5}})
    more = rule_of([cell(1, "-", "")], "missing", {"-": 1})
    assert merged([marks, told, other, more]) == {"city": {"missing": ["-", "?", "N/A"], "told_by": ["zip"]}}


def test_the_lines_of_a_rule_are_settings_that_heptad_reads() -> None:
    """Signs and quotes in names and values and all."""
    settings = {"replace": {'a "b"\\': "c\td", "é": ""}, "strip": True}
    text = "\n".join(rule_lines('odd "name"', settings))
    read = tomllib.loads(text)["clean"]["columns"]['odd "name"']
    assert read == settings
    msgspec.convert({"project": {}, "sources": {}, "data": {"target": "y"}, **tomllib.loads(text)}, Config)


def test_rules_of_a_column_are_merged() -> None:
    """Their values together."""
    one = rule_of([cell(1, "Bostn", "Boston")], "spelling", {"Bostn": 1})
    two = rule_of([cell(3, "Pari", "Paris", "words")], "words", {"Pari": 1})
    assert merged([one, two]) == {"city": {"replace": {"Bostn": "Boston", "Pari": "Paris"}}}


def test_marks_in_columns_of_numbers_need_no_rule() -> None:
    """Reading makes them missing: it is said, and no setting is offered that could not be accepted."""
    marks = [cell(1, "-", "", "missing"), cell(2, "-", "", "missing")]
    (rule,) = gathered(marks, [("missing", ())] * 2, {"city": {"-": 2}}, numeric=["city"])
    assert rule.settings == {}
    assert "missing by that already" in rule.evidence
