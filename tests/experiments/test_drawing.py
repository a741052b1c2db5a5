"""Charts are drawn in the house's style, without a network."""

from io import BytesIO

import altair as alt
import polars as pl
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
