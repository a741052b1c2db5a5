"""A journal reads back as it was written, up to wherever it was torn."""

import math

from hypothesis import given
from hypothesis import strategies as st

from heptad.experiments.journal import entries
from heptad.experiments.journal.entries import Definition, Points, Update, series_key

SIGNED = st.integers(-(2**63), 2**63 - 1)
WRITTEN = st.lists(
    st.one_of(
        st.builds(
            lambda number, first, key: (entries.definition(number, first, key), Definition(number, first, key)),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**63),
            st.text(st.characters(exclude_categories=["Cs"])),
        ),
        st.builds(
            lambda at, rows: (entries.points(at, rows), Points(at, *map(tuple, zip(*rows, strict=True)))),
            st.floats(0, 4e9),
            st.lists(st.tuples(st.integers(0, 9), SIGNED, st.floats(allow_nan=False)), min_size=1, max_size=4),
        ),
        st.builds(
            lambda at, tags: (
                entries.update(Update(at=at, attributes=tags)),
                Update(at=at, attributes=tags),
            ),
            st.floats(0, 4e9),
            st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=5), SIGNED, st.booleans(), st.none())),
        ),
    ),
    max_size=6,
)


@given(WRITTEN, st.integers(0, 400), st.binary(max_size=20))
def test_a_journal_is_read_up_to_its_torn_tail(written, cut, garbage):
    """Whatever is cut off or follows as garbage, the whole entries before it come back, and nothing else."""
    data = b"".join(raw for raw, _ in written)
    cut = min(cut, len(data))
    found = [entries.decoded(payload) for _, payload in entries.whole(data[: len(data) - cut], 0)]
    assert found == [entry for _, entry in written][: len(found)]
    if not cut:
        assert len(found) == len(written)
        behind = [entries.decoded(payload) for _, payload in entries.whole(data + b"\0" * 8 + garbage, 0)]
        assert behind == found


def test_a_changed_byte_ends_the_journal():
    """An entry whose sum is wrong is not believed."""
    data = bytearray(entries.points(1.0, [(0, 1, 2.0)]) * 2)
    data[-1] ^= 1
    assert len(list(entries.whole(bytes(data), 0))) == 1


def test_nan_is_kept():
    """And so are infinities."""
    (payload,) = [payload for _, payload in entries.whole(entries.points(0, [(0, 0, math.nan), (1, 0, math.inf)]), 0)]
    points = entries.decoded(payload)
    assert isinstance(points, Points)
    assert math.isnan(points.values[0])
    assert points.values[1] == math.inf


def test_a_context_is_part_of_the_key_whatever_its_order():
    """Equal contexts give one series."""
    assert series_key("loss", {"b": 1, "a": "x"}) == series_key("loss", {"a": "x", "b": 1}) == "loss[a=x,b=1]"
    assert series_key("loss", None) == "loss"
