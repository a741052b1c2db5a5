"""What is printed: tables that fit the terminal, values as people read them, JSON for programs."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.cli.output import columns, confirm, emit, facts, section, shown, sparkline, table, wants_json, wrapped
from heptad.core.errors import InputError


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_table_aligns_numbers_right_and_text_left():
    """The widest cell of a column sets its width; missing values are dashes."""
    printed = table([{"name": "a", "rows": 1234}, {"name": "long", "rows": None}])
    assert printed == "name   rows\na     1,234\nlong      -"


def test_a_long_last_column_flows_down_and_loses_nothing():
    """Lines fit the terminal, and every word is there."""
    words = " ".join(f"word{number}" for number in range(60))
    printed = table([{"id": "x" * 20, "what": words}])
    assert all(len(line) <= 80 for line in printed.splitlines())
    assert printed.split()[3:] == words.split()


def test_an_empty_table_says_what_to_do():
    """Instead of headings over nothing."""
    assert table([], empty="Make one: heptad run") == "Make one: heptad run"


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_what_cannot_be_undone_is_done_on_yes_alone(monkeypatch, answer):
    """Not on a no, an empty line, or where nobody can answer."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with pytest.raises(InputError, match="Nothing was erased"):
        confirm("Erase?", "Nothing was erased.")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    confirm("Erase?", "Nothing was erased.")


@given(st.lists(st.tuples(st.text("abc ", max_size=30), st.text("xyz ", max_size=300)), min_size=1, max_size=5))
def test_no_line_of_a_table_is_too_long(rows):
    """Whatever the cells hold, as long as its words fit."""
    printed = table(
        [
            {"left": left, "right": " ".join(right[at : at + 20] for at in range(0, len(right), 20))}
            for left, right in rows
        ]
    )
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_facts_are_aligned_and_wrapped():
    """Names on the left, values below each other."""
    printed = facts({"a": "one", "longer": "two " * 30})
    assert printed.startswith("a       one\nlonger  two")
    assert all(len(line) <= 80 for line in printed.splitlines())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (1234567, "1,234,567"),
        (0.123456789, "0.1235"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02 03:04"),
        ("text", "text"),
    ],
)
def test_values_read_well(value, text):
    """Numbers are short, moments have no seconds, missing is a dash."""
    assert shown(value) == text


def test_a_section_is_underlined():
    """Its title, a line as long, its text."""
    assert section("Why", "so") == "Why\n---\nso"


def test_sentences_are_wrapped_with_a_hanging_indent():
    """Each sentence begins a line; what belongs to it is indented."""
    first, second, *_ = wrapped(["word " * 30, "other"], indent=2).splitlines()
    assert first.startswith("  word")
    assert second.startswith("    word")


def test_json_is_one_value_and_a_line(capsys):
    """A program reads what is printed with one call."""
    emit({"at": datetime(2026, 1, 1, tzinfo=UTC), "value": float("nan")}, "text", as_json=True)
    assert capsys.readouterr().out == '{"at":"2026-01-01T00:00:00Z","value":null}\n'
    emit({}, "text\n\n", as_json=False)
    assert capsys.readouterr().out == "text\n"


def test_without_a_terminal_a_line_has_80_columns(monkeypatch):
    """Pipes get what a usual terminal gets."""
    monkeypatch.delenv("COLUMNS")
    assert columns() == 80
    assert wants_json(["status", "--json"])
    assert not wants_json(["status"])


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ([1e308, -1e308, 0.0], "█▁▅"),
        ([0.0, 5e-324], "▁█"),
        ([-2.0, -1.0], "▁█"),
        ([3.0, 3.0], "▁▁"),
        ([float("nan"), float("inf")], "  "),
        ([], ""),
    ],
)
def test_any_numbers_become_blocks(values, blocks):
    """Also those whose range is larger than any number, or as small as one can be."""
    assert sparkline(values) == blocks
