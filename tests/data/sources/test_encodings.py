"""Bytes are text in one encoding, or an error that says where they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError, SettingsError
from heptad.data.sources.encodings import decode, open_text

TEXT = "name,grüße\nÅsa,1\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("cp1252"), "windows-1252"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32"),
    ],
)
def test_encodings_are_detected(data: bytes, encoding: str) -> None:
    """By mark, by validity, or by the zeros of UTF-16; what was found is told."""
    opened = open_text(lambda: iter([data]), "f.csv")
    assert (b"".join(opened.chunks()).decode(), opened.encoding) == (TEXT, encoding)


def test_a_declared_encoding_is_taken_at_its_word() -> None:
    """Text in a declared encoding is read in it, and an unknown name is refused."""
    assert decode("ž".encode("cp1250"), "f.csv", "cp1250").decode() == "ž"
    with pytest.raises(SettingsError, match="no encoding 'klingon'"):
        decode(b"a", "f.csv", "klingon")


def test_bytes_outside_of_the_declared_encoding_are_found() -> None:
    """The error names the byte and the line."""
    with pytest.raises(DataError, match="declared encoding utf-8: byte 0xe9 in line 3"):
        decode(b"a,b\nc,d\n\xe9,f\n", "f.csv", "utf-8")


def test_broken_bytes_in_utf8_are_not_taken_for_another_encoding() -> None:
    """Where most of a file is valid UTF-8, a stray byte is an error, not a reason to misread the rest."""
    with pytest.raises(DataError, match="detected encoding utf-8: byte 0xff in line 3"):
        decode("grüße\nÅsa\n".encode() + b"\xff\n", "f.csv")


def test_bytes_of_no_encoding_are_refused() -> None:
    """A byte that Windows-1252 leaves free cannot be read as it."""
    with pytest.raises(DataError, match="windows-1252: byte 0x81"):
        decode(b"a\x81b\n", "f.csv")


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd\ufeff"), max_size=60),
    st.sampled_from(["", "utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "shift_jis", "gb18030"]),
    st.integers(1, 7),
)
def test_pieces_of_any_size_say_what_the_whole_says(text: str, codec: str, size: int) -> None:
    """Characters that a piece cuts in two, and what cannot be read, with the same byte in the same line."""
    data = text.encode(codec or "utf-8", "ignore")
    declared = codec if codec in {"shift_jis", "gb18030"} else ""
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def told(chunks: list[bytes]) -> object:
        try:
            opened = open_text(lambda: iter(chunks), "f", declared)
            return opened.encoding, b"".join(opened.chunks())
        except DataError as error:
            return error.problem

    assert told(pieces) == told([data])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"PAR1rest", "a Parquet file"),
        (b"\x1f\x8brest", "a gzip file"),
        (bytes(np.random.default_rng(1).integers(0, 256, 4096, dtype=np.uint8)), "binary"),
        (b"a,b\n1\x00\x00\x00,2\n", "binary"),
    ],
)
def test_binary_content_is_named(data: bytes, what: str) -> None:
    """A binary file under the name of a table is refused, and where it is known, the error says what it is."""
    with pytest.raises(DataError, match=f"f.csv is {what}, not text"):
        decode(data, "f.csv")
