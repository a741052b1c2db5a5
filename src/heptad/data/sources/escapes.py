"""Quotes after a backslash, as MySQL and Spark write them within quoted fields, made the doubled ones of CSV."""

import re
from collections.abc import Iterator

from heptad.data.sources.encodings import Chunks


def unescaped(text: bytes, quote: str) -> bytes:
    r"""The text with doubled quotes; backslashes are halved where a quote follows, and stay where none does.

    >>> unescaped(rb'"5\" pipe, C:\\",C:\dir', '"')
    b'"5"" pipe, C:\\",C:\\dir'
    """
    mark = quote.encode()

    def doubled(found: re.Match[bytes]) -> bytes:
        half, odd = divmod(len(found[1]), 2)
        return b"\\" * half + mark * (1 + odd)

    return re.sub(rb"(\\+)" + re.escape(mark), doubled, text)


def without_escapes(chunks: Chunks, quote: str) -> Chunks:
    """The same of a text in pieces, of which one may end between a backslash and its quote."""

    def pieces() -> Iterator[bytes]:
        rest = b""
        for chunk in chunks():
            text = rest + chunk
            end = len(text.rstrip(b"\\"))
            rest = text[end:]
            if end:
                yield unescaped(text[:end], quote)
        if rest:
            yield rest

    return pieces
