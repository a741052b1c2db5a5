"""What is in a folder: sorted paths with what each is, and the digest that stands for all of it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec
from blake3 import blake3

from heptad.core.errors import IntegrityError

Kind: TypeAlias = Literal["f", "x", "l", "d"]
"""A file, an executable file, a symbolic link, an empty folder."""
_FORMAT = b"heptad tree 1\n"
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that would move the cursor, end the line or turn the direction of what is printed."""


class Piece(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where some bytes lie: in which pack of the version, from where, how many."""

    pack: int
    start: int
    size: int
    digest: bytes
    """Empty where the piece is the whole file, or else a whole pack: their digests are known."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One path of a tree. Names are bytes, as the system has them; `/` separates folders.

    Times, owners and other permissions than that to execute are not kept.
    """

    path: bytes
    kind: Kind
    size: int = 0
    digest: bytes = b""
    """BLAKE3 of the bytes of a file."""
    target: bytes = b""
    """Of a link: where it leads, relative to its folder."""
    pieces: tuple[Piece, ...] = ()
    """Where the bytes lie. It is no part of what the entry is: the same file may lie elsewhere in another version."""

    def is_like(self, other: "Entry") -> bool:
        """Whether both are the same but for where their bytes lie."""
        return (
            self.digest == other.digest
            and self.kind == other.kind
            and self.target == other.target
            and self.path == other.path
        )


def digest_of_tree(entries: Sequence[Entry]) -> str:
    """The digest of paths, kinds and contents, whichever way they are stored; `entries` are sorted by path."""
    encoder, buffer = msgspec.msgpack.Encoder(), bytearray()
    hasher = blake3(_FORMAT)
    for one in entries:
        encoder.encode_into((one.path, one.kind, one.size, one.digest, one.target), buffer, -1)
        if len(buffer) > 1 << 20:
            hasher.update(buffer)
            buffer = bytearray()
    return hasher.update(buffer).hexdigest()


def refuse_dangerous(entries: Iterable[Entry]) -> None:
    """Raises `IntegrityError` for a tree that would write outside of its folder: it may come from elsewhere.

    In such a tree a name is absolute or has `..` in it, a link leads outside, or a path goes through a link or a file.
    """
    entries = list(entries)
    leaves = {one.path for one in entries}
    for one in entries:
        parts = one.path.split(b"/")
        folders = [b"/".join(parts[:depth]) for depth in range(1, len(parts))]
        wrong = any(part in {b"", b".", b".."} or b"\0" in part for part in parts) and one.path != b""
        if wrong or any(folder in leaves for folder in folders):
            raise IntegrityError(f"The path {shown_path(one.path)} cannot be in a folder.", remedy=_REMEDY)
        if one.kind == "l" and not stays_inside(one.path, one.target):
            raise IntegrityError(f"The link {shown_path(one.path)} leads outside of its folder.", remedy=_REMEDY)
    if len(leaves) < len(entries) or (b"" in leaves and len(entries) > 1):
        raise IntegrityError("A path stands twice in a folder.", remedy=_REMEDY)


_REMEDY = "Somebody made or altered this version by other means than heptad; do not use it."


def stays_inside(path: bytes, target: bytes) -> bool:
    """Whether a link at `path` that says `target` leads to something in the tree, whatever links lie on its way.

    That is so where every `..` stands at its beginning, and there are no more of them than folders above it.
    """
    parts = [part for part in target.split(b"/") if part not in {b"", b"."}]
    up = next((count for count, part in enumerate(parts) if part != b".."), len(parts))
    return not target.startswith(b"/") and b".." not in parts[up:] and up <= path.count(b"/") and target != b""


def clashes(entries: Iterable[Entry]) -> list[list[str]]:
    """Paths that are one and the same where case or the composition of characters does not count."""
    alike: dict[str, list[bytes]] = {}
    for one in entries:
        folded = unicodedata.normalize("NFC", one.path.decode("utf-8", "surrogateescape")).casefold()
        alike.setdefault(folded, []).append(one.path)
    return [[shown_path(path) for path in paths] for paths in alike.values() if len(paths) > 1]


def counts(entries: Iterable[Entry]) -> tuple[int, int]:
    """How many files there are, and their bytes together."""
    sizes = [one.size for one in entries if one.kind in {"f", "x"}]
    return len(sizes), sum(sizes)


def shown_path(path: bytes) -> str:
    r"""A path for people and JSON: what is no UTF-8, and what a terminal would obey, is written with a backslash.

    >>> shown_path("Größe".encode()), shown_path(b"a\nb"), shown_path(b"\xff")
    ('Größe', 'a\\nb', '\\xff')
    """
    text = path.decode("utf-8", "backslashreplace")
    return _ODD.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
