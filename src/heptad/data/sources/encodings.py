"""Bytes of a file as text in UTF-8, piece by piece: which encoding they are in, and whether they are text at all."""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from heptad.core.errors import DataError, SettingsError

_MAGIC = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x7fELF": "a program",
    b"BZh": "a bzip2 file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Obj\x01": "an Avro file",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HEAD = 65_536


Chunks: TypeAlias = Callable[[], Iterator[bytes]]
"""The bytes of a file in pieces of any size, from the beginning whenever it is called."""


class Text(msgspec.Struct, frozen=True):
    """A file's text, encoded as UTF-8 without a byte order mark, and the encoding it was in."""

    chunks: Chunks
    encoding: str


def open_text(raw: Chunks, name: str, declared: str = "") -> Text:
    """The text of a file; raises `DataError` for binary content and for bytes outside of the encoding.

    Without a declared encoding: a byte order mark says it, else UTF-8 where all bytes are valid, else Windows-1252
    (which Latin-1 text is too) where nothing in the file looks like UTF-8. All bytes are looked at before the answer.
    """
    head = _head(raw)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(
                f"{name} is {what}, not text.", allowed="CSV, JSON, JSON lines, Parquet, Arrow, Avro, Excel"
            )
    encoding = declared or _marked(head) or _looks_like_utf16(head)
    if not encoding.startswith(("utf-16", "utf-32")) and len(_CONTROL.findall(head)) > len(head) / 100:
        raise DataError(f"{name} is binary, not text.", allowed="CSV, JSON, JSON lines, Parquet, Arrow, Avro, Excel")
    if encoding:
        return _strictly(raw, head, name, encoding, detected=not declared)
    try:
        _check(raw, "utf-8")
    except _UndecodableError as error:
        return _other_than_utf8(raw, name, error)
    return Text(raw, "utf-8")


def decode(data: bytes, name: str, declared: str = "") -> bytes:
    """All of a text at once, as `open_text` understands it."""
    return b"".join(open_text(lambda: iter([data]), name, declared).chunks())


class _UndecodableError(Exception):
    """A byte that is not in the encoding, and its line."""

    def __init__(self, byte: int, line: int) -> None:
        super().__init__(f"byte 0x{byte:02x} in line {line:,}")


def _head(raw: Chunks) -> bytes:
    head = b""
    for chunk in raw():
        head += chunk[: _HEAD - len(head)]
        if len(head) == _HEAD:
            break
    return head


def _marked(head: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")


def _looks_like_utf16(head: bytes) -> str:
    """Western text in UTF-16 has a zero in every second byte, even without a mark."""
    if head[1::2].count(0) > 0.8 * len(head[1::2]) > 0:
        return "utf-16-le"
    if head[::2].count(0) > 0.8 * len(head[::2]) > 0:
        return "utf-16-be"
    return ""


def _strictly(raw: Chunks, head: bytes, name: str, encoding: str, *, detected: bool) -> Text:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        raise SettingsError(
            f"There is no encoding {encoding!r}.", allowed="a name Python knows, such as utf-8, windows-1252, utf-16"
        ) from error
    codec = "utf-8-sig" if codec == "utf-8" else codec
    try:
        _check(raw, codec)
    except _UndecodableError as error:
        raise _refusal(name, encoding, error, detected=detected) from error
    if codec == "utf-8-sig" and not head.startswith(codecs.BOM_UTF8):
        return Text(raw, encoding)
    return Text(lambda: _as_utf8(raw, codec), encoding)


def _other_than_utf8(raw: Chunks, name: str, error: _UndecodableError) -> Text:
    """The text from Windows-1252, unless most of what is not ASCII is valid UTF-8: then single bytes are broken."""
    broken = others = 0
    for text in _decoded(raw, "utf-8", "replace"):
        broken += text.count("\ufffd")
        others += len(text) - len(text.encode("ascii", "ignore"))
    if others - broken >= broken:
        raise _refusal(name, "utf-8", error, detected=True) from error
    try:
        _check(raw, "cp1252")
    except _UndecodableError as second:
        raise _refusal(name, "windows-1252", second, detected=True) from second
    return Text(lambda: _as_utf8(raw, "cp1252"), "windows-1252")


def _check(raw: Chunks, codec: str) -> None:
    for _ in _decoded(raw, codec):
        pass


def _as_utf8(raw: Chunks, codec: str) -> Iterator[bytes]:
    for text in _decoded(raw, codec):
        yield text.encode()


def _decoded(raw: Chunks, codec: str, errors: str = "strict") -> Iterator[str]:
    """The text piece by piece; a character may be cut by the end of a piece. Raises `_UndecodableError`."""
    decoder, lines = codecs.getincrementaldecoder(codec)(errors), 0
    try:
        for chunk in raw():
            yield decoder.decode(chunk)
            lines += chunk.count(b"\n")
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line = lines + error.object.count(b"\n", 0, error.start) + 1
        raise _UndecodableError(error.object[error.start], line) from error


def _refusal(name: str, encoding: str, error: _UndecodableError, *, detected: bool) -> DataError:
    return DataError(
        f"{name} is not in the {'detected' if detected else 'declared'} encoding {encoding}: {error}.",
        allowed="bytes of one encoding",
        remedy='name the right one with [sources.NAME] encoding = "...", or mend that line',
    )
