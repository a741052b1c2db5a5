"""People are named as typed, or in a file; what names nobody is refused."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from heptad.core.errors import DataError, InputError
from heptad.data.erasing.naming import check_columns_exist, named_by, named_in
from heptad.data.erasing.subjects import Subjects
from heptad.data.settings import ColumnType


def test_keys_are_read_as_they_are_typed() -> None:
    """Only the first = divides; spaces and quotes belong to the value."""
    assert named_by(["email=a=b@c d"]).keys == [["a=b@c d"]]
    assert named_by(["a=1", "b=2"]).parts() == [{"a": "1", "b": "2"}]
    for wrong in (["a"], ["=1"], ["a="], [], ["a=1", "a=2", "b=3"]):
        with pytest.raises(InputError):
            named_by(wrong)


TYPES: Mapping[str, Collection[ColumnType]] = {"order_id": ["integer"], "customer": ["integer"], "email": ["text"]}


def test_a_file_has_a_key_a_line_or_a_heading(tmp_path: Path) -> None:
    """Quotes, a byte order mark, empty lines and a line for Excel are no trouble."""
    path = tmp_path / "keys.txt"
    path.write_text("\ufeff17\n\n18\n17\n", encoding="utf-8")
    assert named_in(path, ["customer"], TYPES).keys == [["17"], ["18"]]
    path.write_text("sep=;\norder_id ;customer\n1;17\n", encoding="utf-8")
    assert named_in(path, ["customer"], TYPES).parts() == [{"order_id": "1", "customer": "17"}]
    path.write_text("customer;customer\n17;18\n", encoding="utf-8")
    with pytest.raises(DataError, match="has 2 columns 'customer'"):
        named_in(path, ["customer"], TYPES)
    path.write_text("customer\n17\n", encoding="utf-8")
    assert named_in(path, ["customer"], TYPES).keys == [["17"]]
    path.write_text('shop,customer\n"a, b",17\n', encoding="utf-8")
    assert named_in(path, ["x"], TYPES).parts() == [{"shop": "a, b", "customer": "17"}]


@pytest.mark.parametrize("key", [["order_id"], ["email"], ["order_id", "email"], []])
@pytest.mark.parametrize("column", list(TYPES))
def test_a_heading_of_one_column_is_any_column_of_the_table(tmp_path: Path, column: str, key: list[str]) -> None:
    """Customers 7 and 14 are not the orders 7 and 14, and nobody is called customer."""
    path = tmp_path / "tickets.csv"
    path.write_text(f"{column}\n7\n14\n", encoding="utf-8")
    assert named_in(path, key, TYPES).parts() == [{column: "7"}, {column: "14"}]


@pytest.mark.parametrize(
    ("first", "key", "said"),
    [
        ("Customer", "email", "nearly the name of a column"),
        (" order id ", "email", "nearly the name of a column"),
        ("custmer", "order_id", "order_id cannot hold it"),
        ("customer;mail", "order_id", "order_id cannot hold it"),
    ],
)
def test_a_first_line_that_may_be_a_heading_is_refused(tmp_path: Path, first: str, key: str, said: str) -> None:
    """Else those after it would be erased as what they are not; with a heading the same lines are keys."""
    path = tmp_path / "tickets.csv"
    path.write_text(f"{first}\n7\n", encoding="utf-8")
    with pytest.raises(InputError, match=said) as refused:
        named_in(path, [key], TYPES)
    assert key in refused.value.remedy
    path.write_text(f"{key}\n{first}\n7\n", encoding="utf-8")
    assert named_in(path, [key], TYPES).keys == [[first], ["7"]]


def test_a_column_that_somebody_is_called_is_refused(tmp_path: Path) -> None:
    """The first line is a heading or a key, and both are there."""
    path = tmp_path / "tickets.csv"
    path.write_text("customer\n7\n", encoding="utf-8")
    called = Subjects(columns=["email"], keys=[["customer"]])
    with pytest.raises(InputError, match="a value of the key email as well"):
        named_in(path, ["email"], TYPES, lambda people: people == called)
    assert named_in(path, ["order_id"], TYPES, lambda people: people == called).columns == ["customer"]


@pytest.mark.parametrize("text", ["", "17\n18,19\n", "customer\n", "17\n"])
def test_files_that_name_nobody_are_refused(tmp_path: Path, text: str) -> None:
    """Empty, uneven, a heading alone, and a key of one column where the project has two."""
    path = tmp_path / "keys.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        named_in(path, ["customer", "shop"] if text == "17\n" else ["customer"], TYPES)
    with pytest.raises(DataError, match="no file"):
        named_in(tmp_path / "none", ["customer"], TYPES)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_people_are_named_by_what_a_spreadsheet_writes(tmp_path: Path, separator: str) -> None:
    """Columns that are known make the first line a heading, whatever stands between them."""
    path = tmp_path / "people.csv"
    path.write_text(f"customer{separator}email\r\n7{separator}jürgen@a.de\r\n", encoding="windows-1252")
    found = named_in(path, ["order_id"], TYPES)
    assert (found.columns, found.keys) == (["customer", "email"], [["7", "jürgen@a.de"]])


def test_a_column_that_no_version_has_is_refused() -> None:
    """A slip of the pen is no erasure of nobody."""
    with pytest.raises(InputError, match="customr") as refused:
        check_columns_exist(named_by(["customr=1"]), ["customer", "_label_time"])
    assert "_label_time" not in refused.value.allowed
    check_columns_exist(named_by(["customer=1"]), ["customer"])
