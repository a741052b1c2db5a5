"""Messages of protocol buffers, held against the classes that the real library makes."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import HistogramProto

from heptad.experiments.event_files import wire
from heptad.experiments.event_files.wire import Message, WireError

WHOLE = st.integers(-(2**63), 2**63 - 1)


@given(WHOLE, st.floats(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_we_write_the_library_reads_and_the_other_way_round(step: int, time: float, words: str):
    """Whole numbers of either sign, any float, any text."""
    written = wire.double(1, time) + wire.whole(2, step) + wire.block(3, words)
    real = Event.FromString(written)
    assert (real.step, real.file_version) == (step, words)
    ours = Message(Event(step=step, wall_time=time, file_version=words).SerializeToString())
    assert (ours.whole(2), ours.text(3)) == (step, words)
    assert all(one == time or (math.isnan(one) and math.isnan(time)) for one in (real.wall_time, ours.floating(1)))


@given(st.lists(st.floats(allow_nan=False)))
def test_lists_of_floats_are_packed(values: list[float]):
    """As the library packs them."""
    assert list(HistogramProto.FromString(wire.doubles(6, values)).bucket_limit) == values
    assert Message(HistogramProto(bucket_limit=values).SerializeToString()).floats(6) == values


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error(data: bytes):
    """Never another exception, whatever is asked for."""
    for read in (Message.blocks, Message.wholes, Message.floats, Message.singles):
        with suppress(WireError):
            message = Message(data)
            for number in range(1, 9):
                read(message, number)


def test_a_field_of_another_type_is_an_error():
    """A whole number where text was expected is damage, not text."""
    with pytest.raises(WireError, match="a number stands where bytes were expected"):
        Message(wire.whole(1, 5)).text(1)
