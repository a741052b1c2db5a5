"""Text can never become markup, and a page asks nothing of a network."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from heptad.core.markup import Markup, element, joined, page, table


class Reader(HTMLParser):
    """Collects the tags, attributes and texts that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(
    text=st.text(st.characters(exclude_characters="\0\r", codec="utf-8")), value=st.text(st.sampled_from("a\"'<>& ="))
)
def test_any_text_stays_text(text: str, value: str) -> None:
    """Whatever a value holds, the browser sees one element, its attribute, and the text."""
    seen = read(element("p", text, title=value))
    assert seen.tags == ["p"]
    assert seen.attributes == [("title", value)]
    assert seen.text == text


def test_elements_nest_and_lists_are_joined() -> None:
    """Markup is kept, numbers are written, nothing is left out but None."""
    made = element("ul", [element("li", one) for one in (1, "<b>")], None, class_="list")
    assert made == '<ul class="list"><li>1</li><li>&lt;b&gt;</li></ul>'
    assert joined("a", element("br"), Markup("<i>b</i>")) == "a<br><i>b</i>"


def test_tables_escape_their_cells() -> None:
    """Headings and cells are text."""
    made = table(["<h>"], [["a & b"], [element("b", "c")]], class_="x")
    assert "&lt;h&gt;" in made
    assert "<td>a &amp; b</td>" in made
    assert "<td><b>c</b></td>" in made


def test_a_page_forbids_itself_to_load_anything() -> None:
    """The page's own policy lets a browser fetch nothing; its title is text."""
    made = page("<script>", element("p", "hello"))
    assert made.startswith("<!doctype html>")
    assert "default-src &#x27;none&#x27;" in made
    assert "<script>" not in made
