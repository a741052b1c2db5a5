"""How charts look everywhere, and how they are drawn: by Altair, rendered here, so that a page needs no script."""

import re
from typing import Any, TypeVar

import altair as alt
import vl_convert

from heptad.core.markup import Markup

INK, ACCENT, SECOND, QUIET, GRID = "#1f2937", "#2563eb", "#d97706", "#94a3b8", "#e5e7eb"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "gridColor": GRID,
        "domainColor": QUIET,
        "tickColor": QUIET,
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 12,
        "labelFlush": False,
        "labelLimit": 220,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "orient": "top",
    },
}


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a drawing cannot hold, as XML 1.0 has it; one such character, and the renderer ends the whole process."""

Part = TypeVar("Part")

_INHERITED = {f'"{INK}"': '"currentColor"', f'"{GRID}"': '"rgba(128,128,128,0.25)"'}
"""Colours in a drawing, and what stands for them: text is drawn in the colour of the page around, light or dark."""


def render_chart(chart: alt.Chart | alt.LayerChart) -> Markup:
    """A chart as an inline SVG."""
    drawn = vl_convert.vegalite_to_svg(_drawable(chart.to_dict()), config=_CONFIG, allowed_base_urls=[])
    for fixed, inherited in _INHERITED.items():
        drawn = drawn.replace(fixed, inherited)
    return Markup(drawn)


def picture_of(chart: alt.Chart | alt.LayerChart) -> bytes:
    """A chart as a PNG on white, twice as large as on a page."""
    config = _CONFIG | {"background": "white"}
    return vl_convert.vegalite_to_png(_drawable(chart.to_dict()), scale=2, config=config, allowed_base_urls=[])


def _drawable(part: Part) -> Part:
    """A chart's description, with U+FFFD for each character that a drawing cannot hold, in names and values alike."""
    found: Any = part
    if isinstance(part, str):
        found = _NO_XML.sub("\ufffd", part)
    elif isinstance(part, dict):
        found = {_drawable(name): _drawable(value) for name, value in part.items()}
    elif isinstance(part, list):
        found = [_drawable(one) for one in part]
    return found  # type: ignore[no-any-return]
