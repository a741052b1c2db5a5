"""A document, whose form its texts cannot break."""

import re

from hypothesis import given
from hypothesis import strategies as st

from heptad.release.document import Code, Document, Items, Section, Table, to_markdown

DOCUMENT = Document(
    "A card",
    "It opens.",
    [
        Section("Figures", ["Two of them:", Table(["name", "value"], [["a", "1"], ["b", "2"]])]),
        Section("Advice", [Items(["first", "second"]), Code("heptad list\nheptad show 1")]),
    ],
)


def test_markdown_has_each_block_in_its_place() -> None:
    """Headings, a table, a list and code, one blank line between two blocks."""
    assert to_markdown(DOCUMENT) == (
        "# A card\n\nIt opens.\n\n"
        "## Figures\n\nTwo of them:\n\n| name | value |\n| --- | --- |\n| a | 1 |\n| b | 2 |\n\n"
        "## Advice\n\n- first\n- second\n\n    heptad list\n    heptad show 1\n"
    )


@given(st.text(min_size=1, max_size=40))
def test_no_text_adds_a_line_or_a_cell_to_markdown(text: str) -> None:
    """A table keeps its shape, whatever stands in its cells."""
    lines = to_markdown(Document("t", "", [Section("s", [Table(["a", "b"], [[text, text]])])])).split("\n")
    assert len(lines) == 8
    # A bar ends a cell unless an odd number of backslashes stands before it.
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[6])) == 3


def test_markup_in_markdown_is_shown_as_it_is() -> None:
    """Pipes, brackets, stars and tags are escaped."""
    assert to_markdown(Document("<b>*|[x]", "", [])) == "# \\<b\\>\\*\\|\\[x\\]\n"
