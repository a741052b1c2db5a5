"""Trees: their digest, and what cannot be one."""

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import IntegrityError
from heptad.data.folders.tree import Entry, Piece, clashes, digest_of_tree, refuse_dangerous, shown_path, stays_inside


def file(path: bytes, data: bytes = b"x") -> Entry:
    return Entry(path, "f", len(data), blake3(data).digest())


def test_the_digest_is_that_of_what_is_there_and_not_of_how_it_is_stored() -> None:
    """Where pieces lie does not count; name, kind, content and target do."""
    one = file(b"a")
    moved = Entry(one.path, one.kind, one.size, one.digest, pieces=(Piece(3, 0, 1, b""),))
    assert digest_of_tree([one]) == digest_of_tree([moved])
    others = [[file(b"b")], [file(b"a", b"y")], [Entry(b"a", "x", 1, one.digest)], [], [one, file(b"b")]]
    assert len({digest_of_tree(entries) for entries in [[one], *others]}) == 6
    assert digest_of_tree([Entry(b"l", "l", target=b"a")]) != digest_of_tree([Entry(b"l", "l", target=b"b")])


def test_the_digest_stays_what_it_is_from_release_to_release() -> None:
    """Pointers in Git would not find their data any more."""
    entries = [file(b"a"), Entry(b"d", "d"), Entry(b"l", "l", target=b"a")]
    assert digest_of_tree(entries) == "4859a008f6f4252a63442d0c72741b24896dcd90a43f4f68a735bb9e362749c9"


@pytest.mark.parametrize(
    "entries",
    [
        [file(b"../a")],
        [file(b"/etc/passwd")],
        [file(b"a/../../b")],
        [file(b"a//b")],
        [file(b"a/./b")],
        [file(b"a\0b")],
        [Entry(b"a", "l", target=b"/etc"), file(b"b")],
        [Entry(b"a", "l", target=b"../etc")],
        [Entry(b"a", "l", target=b"b"), file(b"a/c")],
        [file(b"a"), file(b"a/c")],
        [file(b"a"), file(b"a")],
        [file(b""), file(b"a")],
    ],
)
def test_a_tree_that_leads_outside_is_refused(entries: list[Entry]) -> None:
    """It may come from a remote that somebody else writes to."""
    with pytest.raises(IntegrityError):
        refuse_dangerous(entries)


def test_an_ordinary_tree_is_let_through() -> None:
    """Links inside, names of all sorts, and a file by itself."""
    refuse_dangerous(
        [file(b"a/b"), Entry(b"a/l", "l", target=b"../c"), file("größe\n".encode()), file(b"..a"), file(b"\xff")]
    )
    refuse_dangerous([file(b"")])


@given(st.lists(st.sampled_from([b"..", b"a", b".", b""]), min_size=1, max_size=6), st.integers(0, 3))
def test_a_link_that_stays_inside_never_names_more_folders_upwards_than_there_are(
    parts: list[bytes], depth: int
) -> None:
    """Compared with walking the parts one by one, in a tree where `a` may itself be a link to the top."""
    path, target = b"/".join([b"d"] * depth + [b"link"]), b"/".join(parts)
    if stays_inside(path, target):
        level = depth
        for part in parts:
            level = level - 1 if part == b".." else 0 if part == b"a" else level
            assert level >= 0


def test_names_that_differ_in_case_only_are_found() -> None:
    """And in how their letters are composed."""
    entries = [file(name.encode()) for name in ("README", "readme", "a/b", "A/b", "caf\u00e9", "cafe\u0301", "c")]
    assert clashes(entries) == [["README", "readme"], ["a/b", "A/b"], ["caf\u00e9", "cafe\u0301"]]


def test_a_path_is_shown_without_what_a_terminal_would_obey() -> None:
    """No name clears the screen or pretends to be another."""
    assert shown_path(b"\x1b[2Ja\r\nb") == "\\x1b[2Ja\\r\\nb"
    assert shown_path("gpj.\u202eexe".encode()) == "gpj.\\u202eexe"
