"""What a notebook shows is drawn by whoever the catalogue names."""

import msgspec
import pytest

from heptad.core import catalogue
from heptad.core.shown import Rows, Shown


def draw(value: object) -> str:
    return f"<b>{type(value).__name__}</b>"


def test_a_thing_is_drawn_by_name(monkeypatch: pytest.MonkeyPatch):
    """It knows nothing of drawing, nor does what it is made of."""
    monkeypatch.setitem(catalogue.BUILT_IN, "display", {"notebook": f"{__name__}:draw"})

    class Thing(Shown, msgspec.Struct, frozen=True):
        value: int

    assert Thing(1)._repr_html_() == "<b>Thing</b>"
    assert Rows([1])._repr_html_() == "<b>Rows</b>"


def test_rows_are_a_list():
    """Equal to one, and the same as JSON."""
    assert Rows([1, 2]) == [1, 2]
    assert msgspec.json.encode(Rows([1, 2])) == b"[1,2]"
