"""What events say, in the older and the newer form of each kind."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from heptad.experiments.event_files.events import Decoder, Ended, File, Histogram, LeftOut, Params, Point, Text
from heptad.experiments.event_files.wire import WireError

PNG = b"\x89PNG\r\n\x1a\n"


def said(*values: Summary.Value, step: int = 1, decoder: Decoder | None = None) -> list[object]:
    event = Event(wall_time=2.5, step=step, summary=Summary(value=values))
    return list((decoder or Decoder()).items(event.SerializeToString()))


def shown_by(plugin: str, content: bytes = b"") -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def shape(*sizes: int) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def test_a_point_is_the_same_in_both_forms():
    """A float of 32 bits as the number that it is; a tensor with all of its bits."""
    narrow = said(Summary.Value(tag="a", simple_value=0.1))
    assert narrow == [Point("a", 1, 2.5, float(np.float32(0.1)))]
    tensor = TensorProto(dtype=2, double_val=[0.1])
    assert said(Summary.Value(tag="a", tensor=tensor, metadata=shown_by("scalars"))) == [Point("a", 1, 2.5, 0.1)]
    assert said(Summary.Value(tag="a", tensor=tensor)) == [Point("a", 1, 2.5, 0.1)]


def test_what_shows_a_tag_is_said_once():
    """With its first value; later ones may leave it out."""
    decoder = Decoder()
    words = TensorProto(dtype=7, string_val=["ä".encode()])
    said(Summary.Value(tag="a", tensor=words, metadata=shown_by("text")), decoder=decoder)
    assert said(Summary.Value(tag="a", tensor=words), step=2, decoder=decoder) == [Text("a", 2, 2.5, "ä")]


def test_pictures_and_sounds_are_files():
    """One, or several in one summary; what has no known format is left out, and counted."""
    old = Summary.Value(tag="a", image=Summary.Image(encoded_image_string=PNG))
    assert said(old) == [File("a", 1, 2.5, PNG, "png")]
    several = TensorProto(dtype=7, string_val=[b"4", b"5", PNG, b"GIF89a"])
    assert said(Summary.Value(tag="a", tensor=several, metadata=shown_by("images"))) == [
        File("a", 1, 2.5, PNG, "png", 0),
        File("a", 1, 2.5, b"GIF89a", "gif", 1),
    ]
    sound = TensorProto(dtype=7, string_val=[b"RIFF....", b"a label"])
    assert said(Summary.Value(tag="a", tensor=sound, metadata=shown_by("audio"))) == [
        File("a", 1, 2.5, b"RIFF....", "wav")
    ]
    odd = Summary.Value(tag="a", image=Summary.Image(encoded_image_string=b"?"))
    assert [type(one) for one in said(odd)] == [LeftOut]


def test_histograms_of_both_forms_are_intervals():
    """The older one without its empty ends, whose limits are the largest floats."""
    old = HistogramProto(min=-1, max=3, bucket_limit=[-2, 0, 2, 1e308], bucket=[0, 4, 0, 6])
    assert said(Summary.Value(tag="a", histo=old)) == [Histogram("a", 1, 2.5, [-1, 0, 2], [0, 2, 3], [4, 0, 6])]
    new = TensorProto(dtype=2, tensor_shape=shape(2, 3), double_val=[0, 1, 5, 1, 2, 6])
    assert said(Summary.Value(tag="a", tensor=new, metadata=shown_by("histograms"))) == [
        Histogram("a", 1, 2.5, [0, 1], [1, 2], [5, 6])
    ]


def test_parameters_and_the_end_stand_in_the_metadata():
    """As the plug-in for hyperparameters writes them: numbers, text, truth values."""
    from tensorboardX.summary import hparams

    said_by_library = hparams({"rate": 0.1, "solver": "adam", "nested": False}, {"score": None})
    items = [one for summary in said_by_library for one in said(*summary.value)]
    assert items == [
        Params(2.5, {"rate": 0.1, "solver": "adam", "nested": False}),
        Ended(items[1].time, "finished"),
    ]


def test_what_has_no_place_is_named():
    """Graphs, traces, meshes, curves: counted by what they are."""
    assert list(Decoder().items(Event(graph_def=b"x").SerializeToString())) == [LeftOut("", "graph")]
    several = TensorProto(dtype=1, tensor_shape=shape(2), float_val=[1, 2])
    assert said(Summary.Value(tag="a", tensor=several, metadata=shown_by("pr_curves"))) == [LeftOut("a", "pr_curves")]
    assert said(Summary.Value(tag="a", tensor=several)) == [LeftOut("a", "tensor")]
    assert list(Decoder().items(Event(session_log=SessionLog(status=1)).SerializeToString())) == []


@pytest.mark.parametrize("tensor", [TensorProto(dtype=1), TensorProto(dtype=1, float_val=[1, 2])])
def test_a_histogram_of_another_shape_is_an_error(tensor: TensorProto):
    """It is damage, not an empty histogram."""
    with pytest.raises(WireError):
        said(Summary.Value(tag="a", tensor=tensor, metadata=shown_by("histograms")))


@given(st.binary(max_size=80))
def test_any_record_is_events_or_an_error(record: bytes):
    """Never another exception: the sums hold, and still a program may have written anything."""
    with suppress(WireError):
        list(Decoder().items(record))
