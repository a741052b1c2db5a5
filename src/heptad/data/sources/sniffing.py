"""How a delimited text is written: separator, quotes, header, lines before the table; told from its content."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import msgspec

from heptad.core.errors import DataError
from heptad.data.sources.encodings import Chunks
from heptad.data.sources.escapes import unescaped
from heptad.data.sources.settings import SourceSettings

SEPARATORS = ("\t", ";", "|", ",", " ", ":")
"""Tried in this order; of equally consistent ones the first is taken, since decimal commas are consistent too."""
LINES = 200
"""Lines that the separator is told from."""
QUOTED_LINES = 2_000
"""Lines with quote characters that decide whether those are quotes."""
LOOKED_AT = 16 << 20
"""Bytes of lines that are looked at, at most, of those above."""
COLUMNS = 10_000
"""The most columns a table may have."""
csv.field_size_limit(2**31 - 1)  # a field may be as long as a file
SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
"""The first line that Excel writes, and understands, to say what separates fields."""
_NUMBER_OR_TIME = re.compile(r"^[+-]?(\d[\d.,:/ -]*|\d*[.,]\d+)([eE][+-]?\d+)?([TZ]\S*)?\s*%?$")


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a text. `names` are the columns; `skip` counts lines before the first row of values."""

    separator: str
    quote: str
    """Empty: quotes are ordinary characters."""
    names: list[str]
    header: bool
    skip: int
    preamble: int
    """Lines before the table that are not part of it."""
    runs: bool
    """Fields are separated by any number of blanks."""
    escapes: bool
    """Quotes within quoted fields stand after a backslash."""
    unnamed: bool
    """The header has no name for the first column."""


def sniff(chunks: Chunks, name: str, settings: SourceSettings) -> Dialect:
    """The dialect of a text in UTF-8 without leading blank lines; what the settings give is not guessed.

    Only its first lines, and the first ones with quotes, are held.

    Raises `DataError` for a text without rows, for column names that repeat, and for too many columns.
    """
    filled = ((number, line) for number, line in enumerate(_lines(chunks), 1) if line.strip())
    first = next(filled, (0, ""))
    declared = SEPARATOR_LINE.match(first[1])
    numbered = list(islice(filled if declared else chain([first], filled), LINES))
    lines = [line for _, line in numbered]
    if not any(lines):
        raise DataError(f"{name} is empty.", allowed="a header and at least one row")
    separator, runs = settings.separator or (declared[1] if declared else ""), False
    if not separator:
        separator, runs = _separator(lines)
    quote = settings.quote if settings.quote is not None else _quote(chunks, separator, lines)
    escapes = bool(quote) and _escapes(chunks, separator, quote, lines, runs=runs)
    lines = _plain(lines, quote) if escapes else lines
    ends, rows = zip(*_placed(lines, separator, quote, runs=runs), strict=True)
    width = Counter(map(len, rows)).most_common(1)[0][0]
    # A header may lack the name of one column, but a line of one field above two columns is a title.
    preamble = next(place for place, row in enumerate(rows) if len(row) >= (width - 1 if width > 2 else width))
    rows = rows[preamble:]
    header = settings.header if settings.header is not None else not settings.columns and _has_header(rows)
    if len(rows) == 1 and header:
        raise DataError(f"{name} has a header and no rows.", allowed="at least one row of values")
    unnamed = header and not settings.columns and _lacks_first(rows, width)
    if unnamed:
        _check_quotes(_placed(lines, separator, quote, runs=runs, strict=True), quote, name, width)
    names = _names(rows, max(width, len(rows[0])), name, settings, header=header)
    above = preamble + header
    return Dialect(
        separator=separator,
        quote=quote,
        names=names,
        header=header,
        # Blank lines count, and so do all those of a name that is several lines long.
        skip=numbered[ends[above - 1] - 1][0] if above else first[0] if declared else 0,
        preamble=preamble + bool(declared),
        runs=runs,
        escapes=escapes,
        unnamed=unnamed,
    )


def _lines(chunks: Chunks, holding: bytes = b"") -> Iterator[str]:
    """The first lines, without their ends, that hold some bytes."""
    rest, seen = b"", 0
    for chunk in chain(chunks(), [b"\n"]):
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        place = text.find(holding, 0, end)
        while 0 <= place < end:
            start, stop = text.rfind(b"\n", 0, place) + 1, text.find(b"\n", place)
            yield text[start:stop].rstrip(b"\r").decode()
            seen += stop - start
            if seen > LOOKED_AT:
                return
            place = text.find(holding, stop + 1, end)
        rest = text[end:]


def _plain(lines: Sequence[str], quote: str) -> list[str]:
    return [unescaped(line.encode(), quote).decode() for line in lines]


def _placed(
    lines: Iterable[str], separator: str, quote: str, *, runs: bool, strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of lines up to its end; blank ones are left out."""
    if runs:
        lines = (re.sub(r"[ \t]+", separator, line.strip(" \t")) for line in lines)
    ended = (line.replace("\r", " ") + "\n" for line in lines)
    if quote:
        reader = csv.reader(ended, delimiter=separator, quotechar=quote, strict=strict)
    else:
        reader = csv.reader(ended, delimiter=separator, quoting=csv.QUOTE_NONE)
    yield from ((reader.line_num, row) for row in reader if row)


def _separator(lines: Sequence[str]) -> tuple[str, bool]:
    """The separator under which most lines have the same number of fields, and whether it comes in runs."""
    best, most = (",", False), 0.0
    for separator in SEPARATORS:
        for quote in ('"', ""):
            share = _consistency(_sample(lines, separator, quote, runs=False))
            if share > most + 1e-9:
                best, most = (separator, False), share
    share = _consistency(_sample(lines, " ", '"', runs=True))
    return (" ", True) if share > most + 1e-9 else best


def _sample(lines: Sequence[str], separator: str, quote: str, *, runs: bool) -> list[list[str]]:
    """The rows of the lines that are looked at, without the last where that may have been cut."""
    rows = [row for _, row in _placed(lines, separator, quote, runs=runs)]
    return rows[:-1] if len(lines) == LINES and len(rows) > 1 else rows


def _consistency(rows: Sequence[Sequence[str]]) -> float:
    if not rows:
        return 0.0
    width, lines = Counter(map(len, rows)).most_common(1)[0]
    return lines / len(rows) if width > 1 else 0.0


def _quote(chunks: Chunks, separator: str, lines: Sequence[str]) -> str:
    """The character that quotes fields; empty where it stands in texts as itself.

    Quotes are literal where every line has the right number of fields without them, and either no field
    begins with one or some line does not close what it opens. A single quote counts only where nearly every
    field that has one begins or ends with it.
    """
    separators = Counter(line.count(separator) for line in lines).most_common(1)[0][0]
    for quote in ('"', "'"):
        quoted = list(islice(_lines(chunks, quote.encode()), QUOTED_LINES))
        if not quoted:
            continue
        parts = [part.strip() for line in quoted for part in line.split(separator) if quote in part]
        if quote == "'":
            enclosing = sum(quote in {part[0], part[-1]} for part in parts)
            closed = not any(_stays_open(line, separator, quote) for line in quoted)
            return quote if closed and enclosing >= 0.9 * len(parts) else '"'
        fit = all(line.count(separator) == separators for line in (*quoted, *lines))
        begun = any(part.startswith(quote) for part in parts)
        return "" if fit and (not begun or any(_stays_open(line, separator, quote) for line in quoted)) else quote
    return '"'


def _stays_open(line: str, separator: str, quote: str) -> bool:
    is_open = False
    for part in (one.strip() for one in line.split(separator)):
        if is_open:
            is_open = not part.endswith(quote)
        elif part.startswith(quote):
            is_open = len(part) == 1 or not part.endswith(quote)
    return is_open


def _escapes(chunks: Chunks, separator: str, quote: str, lines: Sequence[str], *, runs: bool) -> bool:
    r"""Whether quotes within quoted fields stand after a backslash instead of being doubled.

    So it is where the fields of more lines are as many then, or where behind such a quote a field goes on: one that
    closes its field has a separator or the end of the line behind it. A path may end in a backslash, `"C:\"`.
    """
    escaped = list(islice(_lines(chunks, b"\\" + quote.encode()), QUOTED_LINES))
    if not escaped:
        return False
    mark, between = re.escape(quote), re.escape(separator)
    goes_on = re.compile(rf"(?:^|{between}) *{mark}[^{mark}]*\\{mark}(?! *(?:{between}|{mark}|$))")
    as_they_are = _consistency(_sample(lines, separator, quote, runs=runs))
    without = _consistency(_sample(_plain(lines, quote), separator, quote, runs=runs))
    return without > as_they_are or (without == as_they_are and any(map(goes_on.search, escaped)))


def _lacks_first(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the header is one name short, as for row names of R, and not for a last separator in every row."""
    return len(rows[0]) == width - 1 and any(row[-1].strip() for row in rows[1:] if len(row) == width)


def _check_quotes(strictly: Iterator[object], quote: str, name: str, width: int) -> None:
    """Raises `DataError` where quotes within quoted fields may be why rows have a field more than the header."""
    try:
        deque(strictly, maxlen=0)
    except csv.Error as error:
        # The lines that are looked at may end in the middle of a field, which is no mistake.
        if "expected after" not in str(error):
            return
        raise DataError(
            f"{name} has {width - 1} names in its header and {width} fields in its rows, and there are fields that go "
            f"on behind the quote ({quote}) which closes them.",
            allowed=f"quotes within quoted fields doubled ({quote * 2}), or after a backslash (\\{quote})",
            remedy="write the file again with such quotes, or name separator and quote in [sources.NAME]",
        ) from error


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it holds no numbers, and its texts do not come again below."""
    first, others = rows[0], rows[1:]
    cells = [cell.strip() for cell in first]
    if any(_NUMBER_OR_TIME.match(cell) for cell in cells) or cells.count("") > 1:
        return False
    if not others:
        return True
    below = [{row[place].strip() for row in others if place < len(row)} for place in range(len(cells))]
    again = sum(cell in values for cell, values in zip(cells, below, strict=True))
    return again == 0 or again <= len(cells) / 4


def _names(
    rows: Sequence[Sequence[str]], width: int, name: str, settings: SourceSettings, *, header: bool
) -> list[str]:
    if width > COLUMNS:
        raise DataError(f"{name} has {width:,} columns.", allowed=f"at most {COLUMNS:,} columns")
    if settings.columns:
        if len(settings.columns) != width:
            raise DataError(
                f"{name} has {width} columns, and [sources.NAME] columns names {len(settings.columns)}.",
                allowed=f"{width} names",
            )
        names = list(settings.columns)
    elif header:
        names = [cell.strip() for cell in rows[0]]
        if _lacks_first(rows, width):
            names = ["", *names]
        names += [""] * (width - len(names))
    else:
        names = [""] * width
    names = [one or f"column_{place}" for place, one in enumerate(names, 1)]
    check_names(names, name)
    return names


def check_names(names: Sequence[str], where: str) -> None:
    """Raises `DataError` for names that repeat and for more columns than a table may have."""
    if len(names) > COLUMNS:
        raise DataError(f"{where} has {len(names):,} columns.", allowed=f"at most {COLUMNS:,} columns")
    repeated = [one for one, times in Counter(names).items() if times > 1]
    if repeated:
        raise DataError(
            f"{where} has {len(repeated)} column name{'s' if len(repeated) > 1 else ''} more than once: "
            f"{', '.join(map(repr, repeated[:5]))}.",
            allowed="each name once",
            remedy="rename them in the file, or name all columns with [sources.NAME] columns and header = true",
        )
