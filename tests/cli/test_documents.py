"""Cards on the terminal."""

from pathlib import Path

import pytest

from heptad.cli.documents import document_text, write_document
from heptad.core.errors import InputError
from heptad.data import Code, Document, Items, Section, TableBlock

DOCUMENT = Document(
    "A card", "", [Section("Part", ["Words.", Items(["one"]), TableBlock(["a", "b"], [["1", "2"]]), Code("heptad up")])]
)


def test_every_block_is_shown() -> None:
    """One under the other, code indented."""
    assert document_text(DOCUMENT) == "A card\n\nPart\n----\nWords.\n\n- one\n\na  b\n1  2\n\n    heptad up"


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match="does not end in a format"):
        write_document(DOCUMENT, tmp_path / "card.txt")
    assert not list(tmp_path.iterdir())
