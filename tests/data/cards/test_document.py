"""A document, whose form its texts cannot break."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cards.document import Code, Document, Items, Section, TableBlock, to_html, to_markdown

DOCUMENT = Document(
    "A card",
    "It opens.",
    [
        Section("Figures", ["Two of them:", TableBlock(["name", "value"], [["a", "1"], ["b", "2"]])]),
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
    lines = to_markdown(Document("t", "", [Section("s", [TableBlock(["a", "b"], [[text, text]])])])).split("\n")
    assert len(lines) == 8
    # A bar ends a cell unless an odd number of backslashes stands before it.
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[6])) == 3


def test_markup_in_markdown_is_shown_as_it_is() -> None:
    """Pipes, brackets, stars and tags are escaped."""
    assert to_markdown(Document("<b>*|[x]", "", [])) == "# \\<b\\>\\*\\|\\[x\\]\n"


class Seen(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_has_the_same_blocks() -> None:
    """A section each, with its table, list and code."""
    seen = Seen()
    seen.feed(to_html(DOCUMENT))
    assert [seen.tags.count(tag) for tag in ("h1", "section", "table", "td", "li", "pre")] == [1, 2, 1, 4, 2, 1]
    assert "heptad list\nheptad show 1" in seen.text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_no_text_adds_a_tag_to_a_page(text: str) -> None:
    """What looks like markup is shown as it is, wherever it stands."""
    plain, made = Seen(), Seen()
    for seen, word in ((plain, "x"), (made, text)):
        blocks = [word, Items([word]), TableBlock([word], [[word]]), Code(word)]
        seen.feed(to_html(Document(word, word, [Section(word, blocks)])))
    assert made.tags == plain.tags
    assert text in made.text
