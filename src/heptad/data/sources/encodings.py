"""Bytes of a file as text in UTF-8: which encoding they are in, and whether they are text at all."""

import codecs
import re

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


class DecodedText(msgspec.Struct, frozen=True):
    """A file's text, encoded as UTF-8 without a byte order mark, and the encoding it was in."""

    data: bytes
    encoding: str


def decode(data: bytes, name: str, declared: str = "") -> DecodedText:
    """The text of a file; raises `DataError` for binary content and for bytes outside of the encoding.

    Without a declared encoding: a byte order mark says it, else UTF-8 where all bytes are valid, else Windows-1252
    (which Latin-1 text is too) where nothing in the file looks like UTF-8.
    """
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(
                f"{name} is {what}, not text.", allowed="CSV, JSON, JSON lines, Parquet, Arrow, Avro, Excel"
            )
    encoding = declared or _marked(data) or _looks_like_utf16(data)
    if not encoding.startswith(("utf-16", "utf-32")) and len(_CONTROL.findall(data[:_HEAD])) > len(data[:_HEAD]) / 100:
        raise DataError(f"{name} is binary, not text.", allowed="CSV, JSON, JSON lines, Parquet, Arrow, Avro, Excel")
    if encoding:
        return DecodedText(_strictly(data, name, encoding, detected=not declared), encoding)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return DecodedText(_other_than_utf8(data, name, error), "windows-1252")
    return DecodedText(data, "utf-8")


def _marked(data: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "")


def _looks_like_utf16(data: bytes) -> str:
    """Western text in UTF-16 has a zero in every second byte, even without a mark."""
    head = data[:_HEAD]
    if head[1::2].count(0) > 0.8 * len(head[1::2]) > 0:
        return "utf-16-le"
    if head[::2].count(0) > 0.8 * len(head[::2]) > 0:
        return "utf-16-be"
    return ""


def _strictly(data: bytes, name: str, encoding: str, *, detected: bool) -> bytes:
    try:
        codec = codecs.lookup(encoding)
        text = data.decode("utf-8-sig" if codec.name == "utf-8" else encoding)
    except LookupError as error:
        raise SettingsError(
            f"There is no encoding {encoding!r}.", allowed="a name Python knows, such as utf-8, windows-1252, utf-16"
        ) from error
    except UnicodeDecodeError as error:
        raise _undecodable(data, name, encoding, error, detected=detected) from error
    return text.encode()


def _other_than_utf8(data: bytes, name: str, error: UnicodeDecodeError) -> bytes:
    """The text from Windows-1252, unless most of what is not ASCII is valid UTF-8: then single bytes are broken."""
    lossy = data.decode(errors="replace")
    broken = lossy.count("\ufffd")
    valid = sum(1 for character in lossy if character > "\x7f") - broken
    if valid >= broken:
        raise _undecodable(data, name, "utf-8", error, detected=True) from error
    try:
        return data.decode("cp1252").encode()
    except UnicodeDecodeError as second:
        raise _undecodable(data, name, "windows-1252", second, detected=True) from second


def _undecodable(data: bytes, name: str, encoding: str, error: UnicodeDecodeError, *, detected: bool) -> DataError:
    line = data.count(b"\n", 0, error.start) + 1
    how = "detected" if detected else "declared"
    return DataError(
        f"{name} is not in the {how} encoding {encoding}: byte 0x{data[error.start]:02x} in line {line}.",
        allowed="bytes of one encoding",
        remedy='name the right one with [sources.NAME] encoding = "...", or mend that line',
    )
