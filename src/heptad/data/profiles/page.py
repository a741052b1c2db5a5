"""An overview of a table as one HTML page that loads nothing: what to look at first, then every column."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import floor

from heptad.core.markup import Markup, element, page, table
from heptad.data.profiles.looking import Overview
from heptad.data.profiles.notes import has_shapes, number
from heptad.data.profiles.profile import ColumnProfile
from heptad.data.profiles.shapes import Times

WIDTH, HEIGHT = 380, 110
BARS = 12
"""Values of a category that are drawn."""
_COLOUR = "#2563eb"
_GIVING_WAY = "overflow-wrap: anywhere; min-width: 18ch"


def render_overview(overview: Overview) -> str:
    """The page."""
    profile = overview.profile
    cells = profile.rows * len(profile.columns)
    missing = sum(column.missing for column in profile.columns)
    return page(
        f"{overview.name}: profile",
        element(
            "main",
            element("h1", overview.name),
            element(
                "p",
                f"{profile.rows:,} rows, {len(profile.columns)} columns, "
                f"{_share(missing, cells)} of the cells are missing",
                class_="quiet",
            ),
            _notes(overview),
            _repairs(overview),
            _summary(profile.columns),
            _relations(overview),
            *(_column(column, overview) for column in profile.columns),
            style="max-width: 1200px",
        ),
    )


def _share(some: int, of: int) -> str:
    """A percentage; what is not nothing does not look like it."""
    return "fewer than 0.1%" if 0 < some < of / 1000 else f"{some / of if of else 0:.1%}"


def _notes(overview: Overview) -> Markup:
    rows = [
        [
            element("a", note.column, href=f"#{_anchor(overview, note.column)}"),
            element("span", note.sentence, class_="bad" if note.weight == "look" else "quiet"),
        ]
        for note in overview.notes
    ]
    body = table(["column", "what"], rows) if rows else element("p", "Nothing is odd.")
    return element("section", element("h2", "What to look at"), body)


def _repairs(overview: Overview) -> Markup | None:
    if not overview.repairs:
        return None
    rows = [
        [one.rule, one.column, f"{one.rows:,}" if one.rows else "", f"{one.cells:,}" if one.cells else ""]
        for one in overview.repairs
    ]
    return element("section", element("h2", "What was repaired"), table(["rule", "column", "rows", "cells"], rows))


def _summary(columns: list[ColumnProfile]) -> Markup:
    lines = [summary_of(column) for column in columns]
    head = list(lines[0]) if lines else []
    # Names and texts give way, so that all figures are seen at once in a window of ordinary width.
    rows = [
        [
            element("div", told, style=_GIVING_WAY) if what in {"column", "most often"} else told
            for what, told in line.items()
        ]
        for line in lines
    ]
    body = element("div", table(head, rows), class_="chart", style="font-size: 13.5px")
    return element("section", element("h2", "Columns"), body)


def summary_of(column: ColumnProfile) -> dict[str, str]:
    """What one line tells of a column; empty where there is nothing to tell, and `~` before what is estimated."""
    exact = column.counted is not None or column.type == "boolean"
    return {
        "column": column.name,
        "type": column.type,
        "missing": f"{column.missing / column.rows:.1%}" if column.missing and column.rows else "",
        "different": "" if column.distinct is None else f"{'' if exact else '~'}{column.distinct:,}",
        "mean": _figure(column, column.mean),
        "deviation": _figure(column, column.deviation, spread=True),
        "least": _figure(column, column.min),
        "median": _figure(column, column.quantile(0.5)),
        "most": _figure(column, column.max),
        "most often": _most_often(column),
    }


def _most_often(column: ColumnProfile) -> str:
    """The most frequent value of a category and how often it comes; empty for other columns."""
    if not column.values:
        return ""
    value, count = max(zip(column.values, column.counts, strict=False), key=lambda one: one[1])
    return f"{value} ({count:,})"


def _figure(column: ColumnProfile, value: float | None, *, spread: bool = False) -> str:
    """A number of a column as people read it: a moment of times, a length of texts."""
    if value is None:
        return ""
    if column.type == "datetime" and spread:
        return f"{value / 86_400:,.1f} days"
    if column.type == "datetime":
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}"
    return number(value) + (" characters" if column.type == "text" else "")


def _relations(overview: Overview) -> Markup | None:
    if not overview.relations:
        return None
    rows = [[one.first, one.second, f"{one.correlation:+.3f}"] for one in overview.relations[:BARS]]
    return element("section", element("h2", "What goes together"), table(["column", "column", "correlation"], rows))


def _column(column: ColumnProfile, overview: Overview) -> Markup:
    said = [note for note in overview.notes if note.column == column.name]
    few = column.type == "integer" and column.edges and (column.distinct or 0) <= BARS
    drawn = _few(column) if few else _values(column) if column.values else _density(column)
    return element(
        "section",
        element("h2", column.name),
        element("p", f"{column.type}, {column.rows - column.missing:,} values, {column.missing:,} missing"),
        *(element("p", note.sentence, class_="bad" if note.weight == "look" else "quiet") for note in said),
        drawn,
        _shapes(column) if has_shapes(column) else None,
        _times(column.times) if column.times and column.missing < column.rows else None,
        id=_anchor(overview, column.name),
    )


def _anchor(overview: Overview, name: str) -> str:
    places = {column.name: place for place, column in enumerate(overview.profile.columns)}
    return f"column-{places.get(name, 0)}"


def _values(column: ColumnProfile) -> Markup:
    """A bar for each of the most frequent values, and one for all others."""
    named = sorted(zip(column.values, column.counts, strict=False), key=lambda one: -one[1])
    others = sum(count for _, count in named[BARS:]) + column.counts[-1]
    shown = [(value, count) for value, count in [*named[:BARS], ("other values", others)] if count]
    return _bars("value", shown)


def _shapes(column: ColumnProfile) -> Markup:
    """A bar for each of the most frequent shapes, and one for all others."""
    named = [(shape or "(empty)", count) for shape, count in (column.shapes or {}).items()][:BARS]
    others = column.rows - column.missing - sum(count for _, count in named)
    return _bars("shape", [*named, ("other shapes", others)] if others else named)


def _times(times: Times) -> Markup:
    """A bar for each hour of the day, and for each day of the week."""
    charts = [("hours of the day, from 0 to 23", times.hours), ("days of the week, from Monday", times.weekdays)]
    drawn = [part for caption, counts in charts for part in (_beside(counts), _caption(f"{caption} (UTC)"))]
    return element("div", *drawn, class_="chart")


def _caption(text: str) -> Markup:
    return element("p", text, class_="quiet")


def _beside(counts: Sequence[int]) -> Markup:
    """Bars of one width beside each other."""
    width, most = WIDTH / len(counts), max(1, *counts)
    bars = [
        element(
            "rect",
            element("title", f"{place}: {count:,}"),
            x=f"{place * width:.2f}",
            y=f"{HEIGHT - HEIGHT * count / most:.2f}",
            width=f"{width * 0.9:.2f}",
            height=f"{HEIGHT * count / most:.2f}",
            fill=_COLOUR,
        )
        for place, count in enumerate(counts)
    ]
    return element("svg", *bars, width=str(WIDTH), height=str(HEIGHT), viewBox=f"0 0 {WIDTH} {HEIGHT}")


def _few(column: ColumnProfile) -> Markup:
    """A bar for each bin of whole numbers; where there are few of them, a bin holds one."""
    ends = [floor(edge) for edge in (column.min or 0.0, *column.edges, column.max or 0.0)]
    spans = [(ends[0], ends[1]), *((low + 1, high) for low, high in pairwise(ends[1:]))]
    named = zip(spans, column.counts, strict=True)
    return _bars(
        "value",
        [(f"{low:,}" if low == high else f"{low:,} to {high:,}", count) for (low, high), count in named if count],
    )


def _bars(of: str, shown: Sequence[tuple[str, int]]) -> Markup:
    most = max((count for _, count in shown), default=1)
    rows = [
        [value, element("div", _bar(round(WIDTH * count / most), 14), class_="chart"), f"{count:,}"]
        for value, count in shown
    ]
    return table([of, "", "rows"], rows)


def _bar(width: int, height: int) -> Markup:
    return element(
        "svg",
        element("rect", width=str(max(width, 1)), height=str(height), fill=_COLOUR, rx="2"),
        width=str(WIDTH),
        height=str(height),
    )


def _density(column: ColumnProfile) -> Markup | None:
    """The middle of the distribution as a histogram: each bar as wide as its bin, its area its share of the rows."""
    low, high = column.min, column.max
    if low is None or high is None or low == high or not column.edges:
        return None
    # What lies beyond the outer deciles may lie very far; those bins are drawn no wider than the others.
    inner = column.edges[-1] - column.edges[0]
    ends = [max(low, column.edges[0] - inner / 4), *column.edges, min(high, column.edges[-1] + inner / 4)]
    bins = [(a, b, count) for (a, b), count in zip(pairwise(ends), column.counts, strict=True) if b > a and count]
    if not bins or ends[-1] <= ends[0]:
        return None
    scale = WIDTH / (ends[-1] - ends[0])
    widths = [max(1.5, (b - a) * scale) for a, b, _ in bins]
    heights = [count / width for (_, _, count), width in zip(bins, widths, strict=True)]
    bars = [
        element(
            "rect",
            x=f"{(a - ends[0]) * scale:.2f}",
            y=f"{HEIGHT - HEIGHT * height / max(heights):.2f}",
            width=f"{width:.2f}",
            height=f"{HEIGHT * height / max(heights):.2f}",
            fill=_COLOUR,
            opacity="0.75",
        )
        for (a, _, _), width, height in zip(bins, widths, heights, strict=True)
    ]
    caption = f"{_figure(column, low)} to {_figure(column, high)}; the middle eight tenths in full"
    chart = element("svg", *bars, width=str(WIDTH), height=str(HEIGHT), viewBox=f"0 0 {WIDTH} {HEIGHT}")
    return element("div", chart, _caption(caption), class_="chart")
