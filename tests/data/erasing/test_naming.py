"""People are named as typed, or in a file; what names nobody is refused."""

from pathlib import Path

import pytest

from heptad.core.errors import InputError
from heptad.data.erasing.naming import check_columns_exist, named_by, named_in


def test_keys_are_read_as_they_are_typed() -> None:
    """Only the first = divides; spaces and quotes belong to the value."""
    assert named_by(["email=a=b@c d"]).keys == [["a=b@c d"]]
    assert named_by(["a=1", "b=2"]).parts() == [{"a": "1", "b": "2"}]
    for wrong in (["a"], ["=1"], ["a="], [], ["a=1", "a=2", "b=3"]):
        with pytest.raises(InputError):
            named_by(wrong)


def test_a_file_has_a_key_a_line_or_a_heading(tmp_path: Path) -> None:
    """Quotes, a byte order mark and empty lines are no trouble."""
    path = tmp_path / "keys.txt"
    path.write_text("\ufeff17\n\n18\n17\n", encoding="utf-8")
    assert named_in(path, ["customer"]).keys == [["17"], ["18"]]
    path.write_text("customer\n17\n", encoding="utf-8")
    assert named_in(path, ["customer"]).keys == [["17"]]
    path.write_text('shop,customer\n"a, b",17\n', encoding="utf-8")
    assert named_in(path, ["x"]).parts() == [{"shop": "a, b", "customer": "17"}]


@pytest.mark.parametrize("text", ["", "17\n18,19\n", "customer\n", "17\n"])
def test_files_that_name_nobody_are_refused(tmp_path: Path, text: str) -> None:
    """Empty, uneven, a heading alone, and a key of one column where the project has two."""
    path = tmp_path / "keys.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        named_in(path, ["customer", "shop"] if text == "17\n" else ["customer"])
    with pytest.raises(InputError, match="cannot be read"):
        named_in(tmp_path / "none", ["customer"])


def test_a_column_that_no_version_has_is_refused() -> None:
    """A slip of the pen is no erasure of nobody."""
    with pytest.raises(InputError, match="customr") as refused:
        check_columns_exist(named_by(["customr=1"]), ["customer", "_label_time"])
    assert "_label_time" not in refused.value.allowed
    check_columns_exist(named_by(["customer=1"]), ["customer"])
