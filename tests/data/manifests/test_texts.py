"""Texts are counted and sketched in pieces of any size."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.manifests import texts
from heptad.data.manifests.texts import numbers_of, read, sketch


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=200),
    st.integers(1, 9),
)
def test_pieces_change_nothing(text: str, size: int) -> None:
    """Characters and words that a piece cuts in two are whole."""
    with NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(text.encode())
        file.flush()
        whole = read(Path(file.name))
        patch.setattr(texts, "_PIECE", max(size, 4))
        parts = read(Path(file.name))
    assert whole is not None
    assert parts is not None
    assert whole.characters == parts.characters == len(text)


def test_words_are_whole_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sketch is that of the whole text."""
    path = tmp_path / "a.txt"
    path.write_text(" ".join(f"wörd{x}" for x in range(500)))
    whole = read(path)
    monkeypatch.setattr(texts, "_PIECE", 37)
    assert read(path) == whole


def test_what_is_no_text_is_none(tmp_path: Path) -> None:
    """Other encodings than UTF-8 and marked UTF-16, and control characters."""
    for number, content in enumerate((b"\xff\xfe\xff", b"a\0b", "Größe".encode("cp1252"))):
        (tmp_path / f"{number}").write_bytes(content)
        assert read(tmp_path / f"{number}") is None
    (tmp_path / "u").write_bytes("Größe".encode("utf-16"))
    found = read(tmp_path / "u")
    assert found is not None
    assert found.characters == 5


def test_a_sketch_tells_the_part_that_is_shared() -> None:
    """To about 0.04; and is the same wherever it is made."""
    first, second = sketch(list(range(1000))), sketch(list(range(500, 1500)))
    share = float((numbers_of(first) == numbers_of(second)).mean())
    assert share == pytest.approx(498 / 1498, abs=0.13)
    assert sketch([]) == b""
    assert sketch([5]) != sketch([6])
    assert numbers_of(sketch([1, 2, 3]))[:2].tolist() == numbers_of(sketch([1, 2, 3]))[:2].tolist()
