"""Texts: how long they are, and a sketch of what they say by which texts that say nearly the same are found."""

import codecs
import re
import zlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

SHINGLE = 3
"""Words that are taken together."""
HASHES = 128
"""Numbers of a sketch; the part that two texts share is told to about 0.04."""
WORDS = 200_000
"""Words of a text that the sketch is made of."""
_PIECE = 1 << 20
_WORD = re.compile(r"\w+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_GENERATOR = np.random.default_rng(20130121)
_FACTORS = _GENERATOR.integers(1, 2**63, HASHES, dtype=np.uint64) * 2 + 1
_SUMMANDS = _GENERATOR.integers(0, 2**63, HASHES, dtype=np.uint64)


class SketchedText(msgspec.Struct, frozen=True, kw_only=True):
    """How many characters a text has, and its sketch; a text without words has none."""

    characters: int
    hash: bytes


def read(path: Path) -> SketchedText | None:
    """The text in a file, in UTF-8 or UTF-16 with a mark, read in pieces; `None` where it is none."""
    with path.open("rb") as file:
        head = file.read(2)
        file.seek(0)
        utf16 = head in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")()
        characters, words, rest = 0, list[int](), ""
        try:
            while piece := file.read(_PIECE):
                text = decoder.decode(piece)
                if _CONTROL.search(text):
                    return None
                characters += len(text)
                if len(words) < WORDS:
                    text = rest + text
                    end = max(text.rfind(blank) for blank in " \n\t") + 1  # a word may go on in the next piece
                    words += _hashed(text[:end])
                    rest = text[end:][-_PIECE:]
            characters += len(decoder.decode(b"", final=True))
        except UnicodeDecodeError:
            return None
    return SketchedText(characters=characters, hash=sketch([*words, *_hashed(rest)][:WORDS]))


def _hashed(text: str) -> list[int]:
    return [zlib.crc32(word.encode()) for word in _WORD.findall(text.lower())]


def sketch(words: list[int]) -> bytes:
    """The least value of each of `HASHES` hashes over all runs of `SHINGLE` words, as 32 bits each; `b""` for no words.

    The share of numbers in which two sketches agree is about the number of runs that both texts have, of those that
    either has (Jaccard).

    Source: Broder (1997), "On the resemblance and containment of documents".
    """
    if not words:
        return b""
    hashed = np.array(words, dtype=np.uint64)
    size = min(SHINGLE, len(hashed))
    runs = np.zeros(len(hashed) - size + 1, dtype=np.uint64)
    for place in range(size):
        runs = runs * np.uint64(0x9E3779B97F4A7C15) + hashed[place : place + len(runs)]
    runs = np.unique(runs)
    least = np.full(HASHES, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(runs), 10_000):
        part = (runs[start : start + 10_000, None] * _FACTORS + _SUMMANDS) ^ np.uint64(0x5851F42D4C957F2D)
        least = np.minimum(least, (part * np.uint64(0xD6E8FEB86659FD93)).min(axis=0))
    return (least >> np.uint64(32)).astype("<u4").tobytes()


def numbers_of(sketched: bytes) -> npt.NDArray[np.uint32]:
    """The numbers of a sketch."""
    return np.frombuffer(sketched, dtype="<u4")
