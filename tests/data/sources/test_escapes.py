"""Quotes after a backslash become the doubled ones of CSV."""

import re

from hypothesis import given
from hypothesis import strategies as st

from heptad.data.sources.escapes import unescaped, without_escapes

TEXTS = st.text('a\\",\n', max_size=20)


def written(text: str) -> str:
    """A field as Spark writes it: a backslash before a quote of the text, and before its own that a quote follows."""
    return '"' + re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + "\\" * len(found[2]) + found[2], text) + '"'


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    """Whatever quotes and backslashes it holds, wherever they stand."""
    assert unescaped(written(text).encode(), '"').decode() == '"' + text.replace('"', '""') + '"'


@given(st.lists(TEXTS, max_size=5), st.data())
def test_pieces_do_not_matter(texts: list[str], data: st.DataObject) -> None:
    """A piece may end between a backslash and its quote."""
    whole = ",".join(map(written, texts)).encode() + data.draw(st.sampled_from([b"", b"\\", b"\\\\"]))
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[start:end] for start, end in zip([0, *places], [*places, len(whole)], strict=True)]
    assert b"".join(without_escapes(lambda: iter(pieces), '"')()) == unescaped(whole, '"')
