"""Files of other programs are told apart; others are refused."""

from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.data import import_expectations


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds neither expectations nor columns"),
        (b"[1, 2]", "holds neither"),
        (b'{"a": 1}', "holds neither"),
        (b"a: [", "is neither JSON nor YAML"),
        (b"\xff\xfe\x00", "is neither JSON nor YAML"),
        (b"columns: &a\n  x: *a\n", "it has aliases"),
        (b"columns: !!python/object/apply:os.system [true]\n", "is neither JSON nor YAML"),
        (b"[" * 100_000, "is neither JSON nor YAML"),
    ],
)
def test_other_files_are_refused(content: bytes, why: str, tmp_path: Path) -> None:
    """Nothing in them is run, and none of them grows."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DataError, match=why):
        import_expectations(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Says so."""
    with pytest.raises(DataError, match="cannot be read: No such file"):
        import_expectations(tmp_path / "gone.json")


def test_programs_are_told_apart(tmp_path: Path) -> None:
    """By what the file holds, not by its name."""
    path = tmp_path / "file"
    path.write_text('{"expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "c"}}]}')
    assert list(import_expectations(path).columns) == ["c"]
    path.write_text("columns:\n  d:\n    dtype: int64\n")
    assert list(import_expectations(path).columns) == ["d"]
