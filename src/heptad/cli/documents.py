"""A card on the terminal, and as a file in the format that its ending names."""

from pathlib import Path
from typing import TYPE_CHECKING

from heptad.cli.output import section, table, wrapped

if TYPE_CHECKING:
    from heptad.data import Block, Document


def document_text(document: "Document") -> str:
    """The whole document as blocks of text that fit the terminal."""
    blocks = [wrapped(text for text in (document.title, document.opening) if text)]
    blocks += [section(one.heading, "\n\n".join(map(_block, one.blocks))) for one in document.sections]
    return "\n\n".join(blocks)


def _block(block: "Block") -> str:
    from heptad.data import Code, Items, TableBlock

    match block:
        case TableBlock(header, rows):
            return table([dict(zip(header, row, strict=True)) for row in rows])
        case Items(sentences):
            return wrapped(f"- {sentence}" for sentence in sentences)
        case Code(text):
            return "\n".join(f"    {line}" for line in text.splitlines())
        case str():
            return wrapped([block])


def write_document(document: "Document", path: Path) -> None:
    """Write it as HTML or Markdown, whole or not at all; raises `InputError` for any other ending."""
    from heptad.core.errors import InputError
    from heptad.core.files import write_atomically
    from heptad.data import to_html, to_markdown

    writers = {".html": to_html, ".md": to_markdown}
    if path.suffix not in writers:
        raise InputError(f"{path} does not end in a format that can be written.", allowed=", ".join(writers))
    write_atomically(path, writers[path.suffix](document).encode())
