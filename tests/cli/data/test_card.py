"""`heptad data card`."""

from pathlib import Path

from tests.cli.conftest import Shell


def test_the_card_fits_80_columns_and_names_what_is_missing(shell: Shell):
    """Without any `[card]` it says what the records know, and what nobody stated."""
    asked = shell("data", "card")
    assert asked.code == 0
    assert "Data card of rides@" in asked.out
    assert "What nobody has stated" in asked.out
    assert "candidate: " in asked.out
    assert "model version: " in asked.out


def test_it_is_written_in_the_format_that_the_ending_names(shell: Shell, tmp_path: Path):
    """A page and a text; anything else is refused and leaves no file."""
    for name, start in (("card.html", "<!doctype html>"), ("card.md", "# Data card of ")):
        assert shell("data", "card", "1", "--out", str(tmp_path / name)).code == 0
        assert (tmp_path / name).read_text().startswith(start)
    refused = shell("data", "card", "--out", str(tmp_path / "card.pdf"))
    assert refused.code == 2
    assert ".html, .md" in refused.err
    assert not (tmp_path / "card.pdf").exists()


def test_as_json_it_is_the_document(shell: Shell):
    """Sections with their blocks."""
    made = shell("data", "card", "--json").json
    assert made["title"].startswith("Data card of ")
    assert "Who answers for it" in [one["heading"] for one in made["sections"]]
