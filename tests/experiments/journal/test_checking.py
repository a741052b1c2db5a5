"""What a stranger may not ship: ids, names, keys and values that are none."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.core.sql_values import pack_points
from heptad.experiments.journal.checking import check_begin, check_seconds, check_text, check_update, segments_of
from heptad.experiments.journal.messages import Points, RunBegin, RunUpdate
from heptad.experiments.records import Run

RUN = "run-abcdefghijklmnop"
UPDATE = RunUpdate(run=RUN, at=1.0)
BEGIN = RunBegin(run=RUN, at=1.0, body=Run(name="a", experiment="e"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", "run-x"),
        ("run", "mv-abcdefghijklmnop"),
        ("key", "a" * 101),
        ("key", "a\nb"),
        ("at", math.nan),
        ("at", -1.0),
        ("at", 1e12),
        ("attributes", {"deleted": 1.0}),
        ("attributes", {"remote": None}),
        ("attributes", {"name": "other"}),
        ("attributes", {"artifacts.a": "0" * 64}),
        ("attributes", {"status": "scheduled"}),
        ("attributes", {"status": None}),
        ("attributes", {"ended": "now"}),
        ("attributes", {"ended": math.inf}),
        ("attributes", {"lost": -1}),
        ("attributes", {"note": 1}),
        ("attributes", {"params." + "x" * 600: 1}),
        ("attributes", {"tags.a": "\0"}),
        ("attributes", {"tags.a": "x" * (5 << 20)}),
        ("files", {"../a": "0" * 64}),
        ("files", {"/etc/passwd": "0" * 64}),
        ("files", {"a#b": "0" * 64}),
        ("links", [("study", "study-abcdefghijklmnop")]),
        ("links", [("data", "no id")]),
        ("links", [("Data\n", RUN)]),
        ("links", [("data", RUN)] * 1001),
    ],
)
def test_what_does_not_stand_beside_a_run_is_refused(name: str, value: Any):
    """With what would be allowed."""
    with pytest.raises(InputError) as caught:
        check_update(msgspec.structs.replace(UPDATE, **{name: value}))
    assert caught.value.allowed


def test_what_stands_beside_a_run_is_taken():
    """Parameters, metrics of any value, tags, its note, its end, and that it goes on."""
    end = {"status": "failed", "reason": "ValueError: x", "ended": 2.0, "lost": 3}
    more = {"params.a.b": 1, "metrics.x/y[fold=2]": math.nan, "tags.é": None, "note": "# Hello"}
    goes_on = {"status": "running", "reason": None, "ended": None}
    links = [("data", "dv-abcdefghijklmnop")]
    check_update(msgspec.structs.replace(UPDATE, attributes=end | more, files={"a/b.txt": "0" * 64}, links=links))
    check_update(msgspec.structs.replace(UPDATE, attributes=goes_on))


@pytest.mark.parametrize(
    "body",
    [
        Run(name="a", experiment=""),
        Run(name="a" * 501, experiment="e"),
        Run(name="a", experiment="e" * 501),
        Run(name="a", experiment="e", study="study-x"),
        Run(name="a", experiment="e", number=3),
        Run(name="a", experiment="e", seed=2**70),
        Run(name="a", experiment="e", params={"a": math.nan}),
        Run(name="a", experiment="e", params={"a" * 600: 1}),
        Run(name="a", experiment="e", params={"a": "\0"}),
    ],
)
def test_a_run_that_cannot_be_kept_does_not_begin(body: Run):
    """Neither where it is logged nor where it is shipped to."""
    check_begin(BEGIN)
    with pytest.raises(InputError):
        check_begin(msgspec.structs.replace(BEGIN, body=body))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats(0, 3e10)), min_size=1))
def test_points_are_read_as_they_were_packed(points: list[tuple[int, float, float]]):
    """Every step, value and time, to the bit."""
    packed = pack_points(*zip(*points, strict=True))
    (segment,) = segments_of(RUN, Points(series={"loss": (5, packed)}))
    assert (segment.record, segment.key, segment.first) == (RUN, "loss", 5)
    assert pack_points(segment.steps, segment.values, segment.times) == packed


@pytest.mark.parametrize(
    ("key", "first", "data"),
    [
        ("", 0, pack_points([0], [0.0], [0.0])),
        ("a" * 600, 0, pack_points([0], [0.0], [0.0])),
        ("a", -1, pack_points([0], [0.0], [0.0])),
        ("a", 0, b""),
        ("a", 0, b"x" * 23),
        ("a", 0, pack_points([0, 1], [0.0, 1.0], [1.0, math.nan])),
        ("a", 0, pack_points([0], [0.0], [-1.0])),
        ("a", 0, pack_points([0], [0.0], [math.inf])),
    ],
)
def test_points_that_are_none_are_refused(key: str, first: int, data: bytes):
    """Names, indexes, lengths, times."""
    with pytest.raises(InputError):
        segments_of(RUN, Points(series={key: (first, data)}))


def test_a_moment_and_a_text_have_limits():
    """The same ones where they are logged."""
    assert check_seconds(0.0) == 0.0
    check_text("note", "x" * 1000)
    with pytest.raises(InputError, match="characters"):
        check_text("note", "x" * (5 << 20))
