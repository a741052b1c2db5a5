"""Results as one HTML page: well formed, escaped, and nothing from elsewhere."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from tests.data.expectations.test_junit import checked, found

from heptad.data import render_expectations

_VOID = {"meta", "br"}


class WellFormed(HTMLParser):
    """Fails where an element is closed that is not open; keeps what elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_gravest_comes_first_and_rows_are_shown() -> None:
    """With what is expected and why."""
    result = checked(found("w", "warning"), found("e"), found(passed=True), samples={1: [{"k": "k7", "e": None}]})
    page = render_expectations(result)
    assert page.index("e: min") < page.index("w: min")
    assert "k7" in page
    assert "What is broken here refuses the table." in page
    assert "1 of 3" in page


@given(st.one_of(st.just("<script>alert(1)</script>"), st.text(max_size=20)))
def test_a_column_of_any_name_stays_text(name: str) -> None:
    """Well formed, without a script, loading nothing."""
    page = render_expectations(checked(found(name), samples={0: [{name: name, "": "<b>"}]}))
    read = WellFormed(page)
    assert read.open == []
    assert read.seen.isdisjoint({"script", "link", "img", "b"})
    assert read.addresses == []
