"""A small document: headings, paragraphs, lists and tables, written as Markdown or as an HTML page."""

import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from heptad.core.markup import Markup, element, page, table


class TableBlock(msgspec.Struct, frozen=True):
    """A table of texts; every row has as many cells as the header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Items(msgspec.Struct, frozen=True):
    """A list of sentences."""

    sentences: Sequence[str]


class Code(msgspec.Struct, frozen=True):
    """Lines to be typed."""

    text: str


Block: TypeAlias = str | Items | TableBlock | Code


class Section(msgspec.Struct, frozen=True):
    """A heading and what stands under it."""

    heading: str
    blocks: Sequence[Block]


class Document(msgspec.Struct, frozen=True):
    """A title, an opening sentence, and sections. Texts are plain: what looks like markup is shown as it is."""

    title: str
    opening: str
    sections: Sequence[Section]


def to_markdown(document: Document) -> str:
    """The document as Markdown (CommonMark with tables)."""
    parts = [f"# {_plain(document.title)}", _plain(document.opening)]
    for section in document.sections:
        parts.append(f"## {_plain(section.heading)}")
        parts += [_block_as_markdown(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(document: Document) -> str:
    """The document as one HTML page that loads nothing from anywhere."""
    sections = [
        element("section", element("h2", section.heading), *map(_block_as_html, section.blocks))
        for section in document.sections
    ]
    opening = element("p", document.opening, class_="quiet") if document.opening else None
    return page(document.title, element("main", element("h1", document.title), opening, *sections))


_MARKUP = re.compile(r"([\\`*\[\]<>|#])")


def _plain(text: str) -> str:
    """The text in one line, with what Markdown would read as markup escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _block_as_markdown(block: Block) -> str:
    match block:
        case TableBlock(header, rows):
            lines = [header, ["---"] * len(header), *rows]
            return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
        case Items(sentences):
            return "\n".join(f"- {_plain(sentence)}" for sentence in sentences)
        case Code(text):
            return "\n".join(f"    {line}" for line in text.splitlines())
        case str():
            return _plain(block)


def _block_as_html(block: Block) -> Markup:
    match block:
        case TableBlock(header, rows):
            # A wide table scrolls by itself instead of widening the page.
            return element("div", table(header, rows), class_="chart")
        case Items(sentences):
            return element("ul", [element("li", sentence) for sentence in sentences])
        case Code(text):
            return element("pre", element("code", text))
        case str():
            return element("p", block)
