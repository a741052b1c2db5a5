"""What we write says to the reader what it said to us."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from heptad.experiments.event_files import encoding
from heptad.experiments.event_files.events import Decoder, Ended, File, Histogram, Params, Point, Text

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + (7).to_bytes(4) + (9).to_bytes(4)
STEPS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FLOATS = st.floats(allow_nan=False)


@given(TEXTS, STEPS, FLOATS, FLOATS)
def test_a_point_comes_back_equal(tag, step, time, value):
    """With every bit of its value, its step and its time."""
    point = Point(tag, step, time, value)
    assert list(Decoder().items(encoding.point(point))) == [point]


@pytest.mark.parametrize(
    ("value", "narrow"), [(0.5, 0.5), (-math.inf, -math.inf), (0.1, float(np.float32(0.1))), (-1e300, -math.inf)]
)
def test_others_read_the_nearest_number_of_32_bits(value, narrow):
    """It says more only where that is not the value itself."""
    (one,) = Event.FromString(encoding.point(Point("a", 1, 2.5, value))).summary.value
    assert one.simple_value == narrow
    assert one.HasField("metadata") is (value != narrow)


def test_nan_is_a_point():
    """It comes back as what it is."""
    (point,) = Decoder().items(encoding.point(Point("a", 1, 2.5, math.nan)))
    assert isinstance(point, Point)
    assert math.isnan(point.value)


@given(TEXTS, STEPS, TEXTS, st.lists(st.tuples(FLOATS, FLOATS, FLOATS), max_size=4))
def test_texts_and_histograms_come_back_equal(tag, step, words, rows):
    """An empty text and an empty histogram too."""
    text = Text(tag, step, 1.5, words)
    assert list(Decoder().items(encoding.text(text))) == [text]
    lefts, rights, counts = ([row[column] for row in rows] for column in range(3))
    histogram = Histogram(tag, step, 1.5, lefts, rights, counts)
    assert list(Decoder().items(encoding.histogram(histogram))) == [histogram]


@pytest.mark.parametrize(("content", "ending"), [(PNG, "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "wav")])
def test_files_come_back_equal(content, ending):
    """Pictures and sounds, byte for byte."""
    file = File("a", 3, 1.5, content, ending)
    assert list(Decoder().items(encoding.file(file))) == [file]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
"""As stores keep them: without NUL."""
floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), floats)
names = st.one_of(texts, st.sampled_from(["a", "tags.a", "tags.tags.a"]))


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_parameters_and_tags_come_back_equal(params, tags):
    """Each with its type, also where a parameter is called as a tag is shown."""
    (found,) = Decoder().items(encoding.params(Params(1.5, params, tags)))
    assert found == Params(1.5, params, tags)
    assert [*map(type, found.values.values())] == [type(params[name]) for name in found.values]


def test_the_dashboard_is_shown_parameters_and_tags():
    """Numbers as floats, text, truth values; what no float holds as text; tags as parameters beside them."""
    params = {"a": 1, "b": "x", "c": True, "d": 0.1, "e": 2**60 + 1, "f": None}
    event = Event.FromString(encoding.params(Params(1.5, params, {"team": "x"})))
    (value,) = event.summary.value
    assert (value.tag, value.metadata.plugin_data.plugin_name) == ("_hparams_/session_start_info", "hparams")
    start = HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
    shown = {name: getattr(one, one.WhichOneof("kind")) for name, one in start.hparams.items()}
    assert shown == {"a": 1.0, "b": "x", "c": True, "d": 0.1, "e": str(2**60 + 1), "tags.team": "x"}


@pytest.mark.parametrize("status", ["finished", "failed", "killed"])
def test_the_end_comes_back_equal(status):
    """With its time; for others one that was killed has failed."""
    ended = encoding.ended(Ended(2.5, status))
    assert list(Decoder().items(ended)) == [Ended(2.5, status)]
    metadata = Event.FromString(ended).summary.value[0].metadata.plugin_data.content
    assert HParamsPluginData.FromString(metadata).session_end_info.status == (1 if status == "finished" else 2)
