"""The dialect of a text is told from its content."""

import pytest

from heptad.core.errors import DataError
from heptad.data import SourceSettings
from heptad.data.sources.sniffing import COLUMNS, Dialect, check_names, sniff


def sniffed(text: str, **settings: object) -> Dialect:
    return sniff(lambda: iter([text.encode()]), "f.csv", SourceSettings(uri="f.csv", **settings))  # type: ignore[arg-type]


def lines(*rows: str, times: int = 5) -> str:
    return "\n".join([rows[0], *rows[1:] * times]) + "\n"


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        (lines("a,b,c", "1,2,3"), ","),
        (lines("a;b;c", "1,5;2,5;3,5"), ";"),
        (lines("a\tb", "some, text\tmore: text"), "\t"),
        (lines("a|b", "1|x y"), "|"),
        (lines("a b c", "1 2 3"), " "),
        (lines("a, b, c", "1, x y, 3"), ","),
        (lines("a,b", '"x, y; z",2'), ","),
        (lines("t,a", "2020-01-01 10:00:00,5"), ","),
        ("y\n1\n0\n", ","),
    ],
)
def test_separators_are_told_by_consistency(text: str, separator: str) -> None:
    """The separator that gives every line the same number of fields, quotes respected."""
    assert sniffed(text).separator == separator


def test_columns_aligned_with_blanks_are_one_separator() -> None:
    """Any number of blanks between fields counts as one."""
    dialect = sniffed("a      b\n" + "".join(f"{x:<7}{x * 3}\n" for x in range(30)))
    assert (dialect.runs, dialect.names) == (True, ["a", "b"])


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (lines('"a";"b"', "1;2"), '"'),
        (lines("a,b", '"x, y",2'), '"'),
        (lines("a,b", '"two\nlines",2'), '"'),
        (lines("label\ttext", 'ham\t"Hello, she said', 'spam\tyes "really"'), ""),
        (lines("'a'|'b'", "'x|y'|'z'"), "'"),
        (lines("a,b", "it's,2"), '"'),
        (lines("a,b", '5" pipe,2'), ""),
    ],
)
def test_quotes_are_told_from_quotation_marks_in_texts(text: str, quote: str) -> None:
    """Characters that enclose fields are quotes; those that stand in texts as themselves are not."""
    assert sniffed(text).quote == quote


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (lines("a,b", "x,y"), True),
        (lines("1,2", "3,4"), False),
        (lines("ham\thello", "ham\tgood day", "spam\tbuy"), False),
        (lines("39, State-gov", "50, Private"), False),
        (lines("2020-01-01,a", "2020-01-02,b"), False),
        (",a\n0,x\n1,y\n", True),
    ],
)
def test_headers_hold_no_values(text: str, header: bool) -> None:
    """A first line with numbers, times, or words that come again below is a row."""
    assert sniffed(text).header is header


def test_names_come_from_the_header_or_are_numbered() -> None:
    """Without a header columns are numbered; an unnamed column gets its number too."""
    assert sniffed(lines("1,2", "3,4")).names == ["column_1", "column_2"]
    assert sniffed(",b\n1,x\n2,y\n").names == ["column_1", "b"]
    assert sniffed(lines("1,2", "3,4"), columns=["u", "v"]).names == ["u", "v"]
    renamed = sniffed(lines("a,b", "3,4"), columns=["u", "v"], header=True)
    assert (renamed.names, renamed.skip) == (["u", "v"], 1)


def test_a_header_may_be_one_short() -> None:
    """Row names without a heading come first; a separator at the end of each line is an empty last column."""
    assert sniffed(lines("a,b", "r1,1,2", "r2,3,4")).names == ["column_1", "a", "b"]
    assert sniffed(lines("a,b", "1,2,", "3,4,")).names == ["a", "b", "column_3"]


def test_quotes_that_may_shift_columns_are_refused() -> None:
    """A field more than the header may be a row name, and may be a quoted text that goes on behind its quote."""
    dialect = sniffed(lines("a,b", '"r, 1",1,2'))
    assert (dialect.unnamed, dialect.names) == (True, ["column_1", "a", "b"])
    with pytest.raises(DataError, match="4 names in its header and 5 fields in its rows") as refused:
        sniffed(lines("id,comment,amount,y", '0,"he said "no", then left",0,1'))
    assert 'doubled ("")' in str(refused.value)


def test_lines_before_the_table_are_left_out() -> None:
    """A title above the table is no part of it."""
    dialect = sniffed("Report of May\na,b,c\n" + "1,2,3\n" * 10)
    assert (dialect.preamble, dialect.skip, dialect.names) == (1, 2, ["a", "b", "c"])


def test_blank_lines_and_lines_of_a_name_are_counted_before_the_table() -> None:
    """Rows begin behind the header, however many lines there are above and within it."""
    rows = "x,u,0\n" * 10
    assert sniffed("Report of May\n\nname,city,y\n" + rows).skip == 3
    assert sniffed("# a\n \n# b\n\n\nname,city,y\n" + rows).skip == 6
    assert sniffed("Report\n\n" + "1,2,3\n" * 10).skip == 1
    dialect = sniffed('name,"city\n\nof birth",y\n' + rows)
    assert (dialect.names, dialect.skip) == (["name", "city\nof birth", "y"], 3)


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_may_say_the_separator(line: str) -> None:
    """As Excel writes it; it is no part of the table, whatever else is consistent."""
    dialect = sniffed(f"{line}\n" + lines("a;b", "1,5;2,5"))
    assert (dialect.separator, dialect.names, dialect.skip, dialect.preamble) == (";", ["a", "b"], 2, 1)
    assert sniffed(f"{line}\n\n" + lines("1;2", "3;4")).skip == 1
    with pytest.raises(DataError, match="empty"):
        sniffed(line + "\n")


@pytest.mark.parametrize(
    ("text", "escapes"),
    [
        (lines("id,a,y", r'0,"he said \"no\", then left",1'), True),
        (lines("id,a,y", "0,fine,1", r'1,"he said \"no\"",0'), True),
        (lines("id,a,y", r'0,"5\", 6",1'), True),
        ("id,a\n" + "0,x\n" * 500 + '1,"say \\"hi\\""\n', True),
        (lines("id,a,y", r'0,"C:\dir\",1'), False),
        (lines("id,a,y", r'0,"{""a"": ""\""b\"", c""}",1'), False),
        (lines("label\ttext", r'ham\t"Hello \"she said'), False),
        (lines("id,a,y", r'0,"a ""b"", c",1'), False),
    ],
)
def test_escaped_quotes_are_told_by_what_follows_them(text: str, escapes: bool) -> None:
    """MySQL and Spark write a backslash before them; a path may end in one."""
    dialect = sniffed(text)
    assert (dialect.escapes, dialect.unnamed) == (escapes, False)


def test_what_the_settings_say_is_not_guessed() -> None:
    """Separator, quote and header of the settings stand, whatever the content looks like."""
    dialect = sniffed(lines("1,2;3", "4,5;6"), separator=",", quote="", header=True)
    assert (dialect.separator, dialect.quote, dialect.names) == (",", "", ["1", "2;3"])


def test_unusable_tables_are_refused() -> None:
    """A header alone, repeated names, too many columns, the wrong number of names."""
    with pytest.raises(DataError, match="a header and no rows"):
        sniffed("a,b\n")
    with pytest.raises(DataError, match="1 column name more than once: 'a'"):
        sniffed(lines("a,b,a", "1,2,3"))
    with pytest.raises(DataError, match="names 1"):
        sniffed(lines("1,2", "3,4"), columns=["u"])
    with pytest.raises(DataError, match="10,001 columns"):
        check_names([f"c{place}" for place in range(COLUMNS + 1)], "f.csv")
    with pytest.raises(DataError, match="10,001 columns"):
        sniffed(",".join(f"c{place}" for place in range(COLUMNS + 1)) + "\n" + ",".join("1" * (COLUMNS + 1)) + "\n")
