"""Charts are drawn in the house's style, without a network."""

from io import BytesIO

import altair as alt
import polars as pl
import pytest
from PIL import Image

from heptad.experiments.drawing import INK, picture_of, render_chart

CHART = alt.Chart(pl.DataFrame({"x": [1, 2], "y": [3, 4]})).mark_line().encode(x="x:Q", y="y:Q")


def test_a_chart_becomes_markup() -> None:
    """Its words in the colour of the page around, light or dark; it refers to nothing."""
    svg = render_chart(CHART.properties(width=300, height=200))
    assert svg.startswith("<svg")
    assert "currentColor" in svg
    assert INK not in svg
    assert "href" not in svg


def test_a_chart_becomes_a_picture() -> None:
    """On white, twice as large, so that it is sharp."""
    picture = Image.open(BytesIO(picture_of(CHART.properties(width=300, height=200))))
    assert picture.format == "PNG"
    assert picture.width > 600
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("odd", ["\x08", "\x00", "\x1b", "\uffff", "\ud800"])
def test_what_a_drawing_cannot_hold_is_replaced(odd: str) -> None:
    """The renderer would end the process; a name with such a character is drawn with U+FFFD, in whatever it names."""
    points = pl.DataFrame({"x": [1, 2], "y": [3, 4]})
    named = alt.Chart(points).mark_line().encode(x=alt.X("x:Q", title=f"a{odd}b"), y=alt.Y("y:Q", title="née 🙂\t1"))
    kept = alt.Chart(alt.InlineData([{f"k{odd}": f"c{odd}d"}])).mark_text().encode(text=f"k{odd}:N")
    svg = render_chart(named + kept)
    assert "a\ufffdb" in svg
    assert "c\ufffdd" in svg
    assert "née 🙂" in svg
    assert picture_of(named).startswith(b"\x89PNG")
