"""What is logged beside numbers is kept in formats that others read, and what cannot be kept is refused in words."""

import io

import altair as alt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heptad.core.errors import InputError
from heptad.experiments.logged import (
    FileNames,
    artifact_key,
    figure_bytes,
    image_bytes,
    number,
)


def test_what_is_no_number_is_no_metric():
    """Numbers of NumPy are."""
    assert number("loss", np.float32(0.5)) == 0.5
    with pytest.raises(InputError, match="loss is 'high'"):
        number("loss", "high")


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../a", "a/../b", "a//b", ".", "a/.", "a\\b", "a\nb", " a", "x" * 600, "a#b", "%2e%2e"],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str):
    """Only relative names inside the run."""
    with pytest.raises(InputError):
        artifact_key(path)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)))
def test_no_file_is_the_folder_of_another(names: list[str]):
    """In whichever order they come, one by one or together; the same name may come again."""
    taken, one_by_one = set[str](), FileNames()
    for name in names:
        clashes = any(f"{one}/".startswith(f"{name}/") or f"{name}/".startswith(f"{one}/") for one in taken - {name})
        try:
            one_by_one.add([name])
        except InputError:
            assert clashes
        else:
            assert not clashes
            taken.add(name)
    FileNames().add(taken)
    if taken != {*names}:
        with pytest.raises(InputError, match="cannot be"):
            FileNames().add(names)


@pytest.mark.parametrize("path", ["a", "a/b.c", "naïve/飛行機 1.png", "a.b+c"])
def test_ordinary_paths_stay_as_they_are(path: str):
    """Unicode and blanks inside of names too."""
    assert artifact_key(path) == path


def test_charts_of_altair_are_kept_as_json_or_html():
    """As the path says; JSON where it says nothing."""
    chart = alt.Chart(alt.Data(values=[{"a": 1}])).mark_point().encode(x="a:Q")
    path, data = figure_bytes("charts/a", chart)
    assert (path, data[:1]) == ("charts/a.json", b"{")
    assert b"<html>" in figure_bytes("a.html", chart)[1]
    with pytest.raises(InputError, match="not kept as gif"):
        figure_bytes("a.gif", chart)


def test_figures_of_matplotlib_are_kept_as_png_or_svg():
    """Figures and their axes."""
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    assert figure_bytes("a", figure)[1].startswith(b"\x89PNG")
    assert b"<svg" in figure_bytes("a.svg", axes)[1]


def test_figures_of_plotly_are_kept_as_json():
    """Or as a page."""
    plotly = pytest.importorskip("plotly.graph_objects")
    figure = plotly.Figure(plotly.Scatter(y=[1, 2]))
    assert figure_bytes("a", figure)[0] == "a.json"
    assert b"<html>" in figure_bytes("a.html", figure)[1]


def test_what_is_no_figure_is_refused():
    """With what is allowed."""
    with pytest.raises(InputError, match="no figure"):
        figure_bytes("a", 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16", "CMYK", "LAB", "HSV"])
def test_images_of_pillow_are_kept_in_colours_that_png_has(mode: str):
    """Those of print and of the eye are turned into those of a screen."""
    assert Image.open(io.BytesIO(image_bytes("a", Image.new(mode, (3, 2)))[1])).size == (3, 2)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_of_unknown_range_are_no_image(mode: str):
    """Nobody but their owner knows how to scale them."""
    with pytest.raises(InputError, match="scale it"):
        image_bytes("a", Image.new(mode, (3, 2)))


@pytest.mark.parametrize("channels", [0, 1, 3, 4])
def test_arrays_become_the_image_they_hold(channels: int):
    """Pixel by pixel, read by another program."""
    shape = (5, 7, channels) if channels else (5, 7)
    pixels = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    path, data = image_bytes("a", pixels)
    assert path == "a.png"
    read = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(read, pixels.reshape(read.shape))


def test_images_may_be_shares_or_of_pillow():
    """From 0 to 1, rounded."""
    data = image_bytes("a.png", np.array([[0.0, 1.0, 0.5]]))[1]
    assert np.asarray(Image.open(io.BytesIO(data))).tolist() == [[0, 255, 128]]
    assert image_bytes("a", Image.new("RGB", (2, 2)))[1].startswith(b"\x89PNG")


@pytest.mark.parametrize("image", [np.zeros(3), np.array([[2.0]]), np.array([[np.nan]]), np.array([[300]]), "x"])
def test_what_is_no_image_is_refused(image):
    """Wrong shapes and numbers out of range."""
    with pytest.raises(InputError):
        image_bytes("a", image)
