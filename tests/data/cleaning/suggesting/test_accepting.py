"""Writes accepted rules into heptad.toml."""

import tomllib
from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.data.cleaning.suggesting.accepting import accept_rules
from heptad.data.cleaning.suggesting.rules import SuggestedRule

TEXT = """# mine
[project]
name = "x"   # keep

[clean]
duplicates = "keep"

[clean.columns.city]
lower = true

[data]
target = "y"
"""


def rule(column: str, **settings: object) -> SuggestedRule:
    return SuggestedRule(column, "spelling", "", 1, 0.9, 0.9, (), dict(settings))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "heptad.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_column_without_rules_gets_them_at_the_end(path: Path) -> None:
    """What was there is there, comments and all."""
    assert accept_rules([rule("beer-name", strip=True)], path) == ["beer-name"]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(TEXT.rstrip("\n"))
    assert tomllib.loads(text)["clean"]["columns"] == {"city": {"lower": True}, "beer-name": {"strip": True}}


def test_a_column_with_rules_keeps_its_own(path: Path) -> None:
    """New ones come beside them; a repair that is there already wins."""
    accept_rules([rule("city", replace={"a": "b", "c": "d"})], path)
    accept_rules([rule("city", replace={"a": "z", "e": "f"}, lower=False)], path)
    city = tomllib.loads(path.read_text(encoding="utf-8"))["clean"]["columns"]["city"]
    assert city == {"lower": True, "replace": {"a": "b", "c": "d", "e": "f"}}
    assert 'name = "x"   # keep' in path.read_text(encoding="utf-8")


def test_accepting_again_changes_nothing(path: Path) -> None:
    """Not a byte."""
    accept_rules([rule("city", strip=True)], path)
    once = path.read_bytes()
    accept_rules([rule("city", strip=True)], path)
    assert path.read_bytes() == once
    accept_rules([], path)
    assert path.read_bytes() == once


def test_a_file_that_leaves_no_room_is_left_alone(path: Path) -> None:
    """The error says the lines, and the file is as it was."""
    text = "[clean]\ncolumns = { city = { lower = true } }\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="strip = true"):
        accept_rules([rule("city", strip=True)], path)
    assert path.read_text(encoding="utf-8") == text


def test_marks_are_added_to_those_that_are_there(path: Path) -> None:
    """Each once."""
    accept_rules([rule("city", missing=["?"])], path)
    accept_rules([rule("city", missing=["-", "?"])], path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["clean"]["columns"]["city"]["missing"] == ["?", "-"]


def test_rules_need_a_file_to_go_into(tmp_path: Path) -> None:
    """The error says how to get one."""
    with pytest.raises(DataError, match="heptad init"):
        accept_rules([rule("city", strip=True)], tmp_path / "heptad.toml")
