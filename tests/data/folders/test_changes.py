"""What differs between two trees."""

from hypothesis import given
from hypothesis import strategies as st

from heptad.data.folders.changes import changes_between
from heptad.data.folders.tree import Entry

TREES = st.dictionaries(st.binary(min_size=1, max_size=3), st.integers(0, 4), max_size=12)


def tree(files: dict[bytes, int]) -> list[Entry]:
    return [Entry(path, "f", 1, bytes([content])) for path, content in sorted(files.items())]


def test_every_kind_of_change_is_told() -> None:
    """Added, removed, changed, renamed, and what stayed is counted."""
    before = [*tree({b"a": 1, b"b": 2, b"c": 3}), Entry(b"l", "l", target=b"a")]
    after = [*tree({b"a": 1, b"b": 9, b"d": 3, b"e": 4}), Entry(b"l", "l", target=b"b")]
    changes = changes_between(before, after)
    assert changes.counts() == "1 added, 2 changed, 1 renamed"
    assert changes.lines() == ["added    e", "changed  b", "changed  l", "renamed  c -> d"]
    assert changes.same == 1
    assert not changes_between(after, after)


@given(TREES, TREES)
def test_every_path_is_told_once(before: dict[bytes, int], after: dict[bytes, int]) -> None:
    """Nothing is left out, and nothing counted twice."""
    changes = changes_between(tree(before), tree(after))
    came, went = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    assert len(changes.added) + len(changes.renamed) == came
    assert len(changes.removed) + len(changes.renamed) == went
    assert len(changes.changed) == sum(before[one] != after[one] for one in before.keys() & after.keys())
    assert changes.same == sum(before[one] == after[one] for one in before.keys() & after.keys())


def test_an_empty_file_was_not_renamed() -> None:
    """All of them are alike."""
    before, after = [Entry(b"a", "f", 0, b"z")], [Entry(b"b", "f", 0, b"z")]
    assert changes_between(before, after).renamed == []
