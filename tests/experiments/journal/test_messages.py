"""Messages are exact on the wire, and nothing else than they are is taken for one."""

import math

import msgspec
import pytest

from heptad.experiments.journal.messages import Points, RunBegin, RunUpdate
from heptad.experiments.records import Run


def test_values_arrive_as_they_were():
    """NaN and infinities too, which JSON has not."""
    sent = RunUpdate(run="run-a", at=1.5, attributes={"a": math.inf, "b": None, "c": True, "d": 2**60, "e": "é"})
    got = msgspec.msgpack.decode(msgspec.msgpack.encode(sent), type=RunUpdate)
    assert got == sent
    nan = RunUpdate(run="run-a", at=1.5, attributes={"a": math.nan})
    assert math.isnan(float(str(msgspec.msgpack.decode(msgspec.msgpack.encode(nan), type=RunUpdate).attributes["a"])))


@pytest.mark.parametrize(
    "content",
    [
        {"run": "run-a", "at": 1.0, "event": "release.promoted"},
        {"run": "run-a", "at": 1.0, "aliases": []},
        {"run": "run-a", "at": 1.0, "records": []},
        {"run": "run-a", "at": 1.0, "attributes": {"a": ["list"]}},
        {"run": "run-a", "at": 1.0, "links": [["data"]]},
        {"run": "run-a"},
    ],
)
def test_a_message_says_no_more_than_it_may(content: dict[str, object]):
    """No aliases, no records, no events of other steps."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(content), type=RunUpdate)


def test_a_beginning_and_points_are_whole():
    """Typed down to the record of the run."""
    body = Run(name="a", experiment="e", params={"depth": 3})
    begin = RunBegin(run="run-a", at=1.0, body=body, links=[("parent", "run-b")])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(begin), type=RunBegin) == begin
    points = Points(series={"loss": (7, b"\0" * 24)})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(points), type=Points) == points
