"""A small document: headings, paragraphs, lists and tables, written as Markdown or as a page of its own."""

import html
import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec


class Table(msgspec.Struct, frozen=True):
    """A table of texts; every row has as many cells as the header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Items(msgspec.Struct, frozen=True):
    """A list of sentences."""

    sentences: Sequence[str]


class Code(msgspec.Struct, frozen=True):
    """Lines to be typed."""

    text: str


Block: TypeAlias = str | Items | Table | Code


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
    """The document as one page that needs nothing beside it."""
    title = html.escape(document.title)
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(document.opening)}</p>"]
    for section in document.sections:
        body.append(f"<h2>{html.escape(section.heading)}</h2>")
        body += [_block_as_html(block) for block in section.blocks]
    content = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{content}\n</body>\n</html>\n"
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .75rem;border-bottom:1px solid #d5d9de;"
    "text-align:left;font-variant-numeric:tabular-nums}th{font-weight:600}"
    "pre{background:#f4f5f7;padding:.75rem;overflow-x:auto}"
)
_MARKUP = re.compile(r"([\\`*\[\]<>|#])")


def _plain(text: str) -> str:
    """The text in one line, with what Markdown would read as markup escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _block_as_markdown(block: Block) -> str:
    match block:
        case Table(header, rows):
            lines = [header, ["---"] * len(header), *rows]
            return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
        case Items(sentences):
            return "\n".join(f"- {_plain(sentence)}" for sentence in sentences)
        case Code(text):
            return "\n".join(f"    {line}" for line in text.splitlines())
        case str():
            return _plain(block)


def _block_as_html(block: Block) -> str:
    match block:
        case Table(header, rows):
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
            body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        case Items(sentences):
            return "<ul>" + "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences) + "</ul>"
        case Code(text):
            return f"<pre>{html.escape(text)}</pre>"
        case str():
            return f"<p>{html.escape(block)}</p>"
