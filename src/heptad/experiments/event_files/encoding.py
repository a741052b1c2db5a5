"""Events as TensorBoard reads them, made from what a run holds."""

import math
import struct
from typing import Final

import msgspec

from heptad.core.records import Scalar
from heptad.experiments.event_files import events, tensors, wire
from heptad.experiments.event_files.events import Ended, Exact, File, Histogram, Params, Point, Text

VERSION: Final = "brain.Event:2"
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3
"""Classes of data that a summary says its values are of."""
_STATUS: Final = {"finished": 1, "failed": 2, "killed": 2, "running": 3, "scheduled": 3}
_WAV: Final = 11
_LARGEST: Final = 2**53
"""Whole numbers up to here are floats of 64 bits too."""


def opening(time: float) -> bytes:
    """The first event of a file."""
    return wire.double(1, time) + wire.block(3, VERSION)


def point(one: Point) -> bytes:
    """A point as the value of 32 bits that every reader knows.

    Where they do not hold it, all 64 bits stand in its metadata, in a field that only we read: TensorBoard shows no
    scalars of 64 bits.
    """
    single = _single(one.value)
    same = single == one.value or math.isnan(one.value)
    exact = b"" if same else _metadata(events.SCALARS, _SCALAR, wire.double(events.EXACT, one.value))
    return _event(one.time, one.step, one.tag, exact + wire.single(2, single))


def _single(value: float) -> float:
    """The nearest number of 32 bits; beyond the largest it is infinity."""
    try:
        nearest: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return nearest


def text(one: Text) -> bytes:
    value = _metadata(events.TEXTS, _TENSOR) + wire.block(8, tensors.texts_tensor([one.text], [1]))
    return _event(one.time, one.step, one.tag, value)


def file(one: File) -> bytes:
    """A picture or a sound."""
    if one.ending == "wav":
        content = tensors.texts_tensor([one.content, b""], [1, 2])
        value = _metadata(events.SOUNDS, _BLOBS, wire.whole(2, _WAV)) + wire.block(8, content)
    else:
        width, height = _size(one.content) if one.ending == "png" else (0, 0)
        content = tensors.texts_tensor([str(width), str(height), one.content], [3])
        value = _metadata(events.IMAGES, _BLOBS) + wire.block(8, content)
    return _event(one.time, one.step, one.tag, value)


def histogram(one: Histogram) -> bytes:
    rows = [number for row in zip(one.lefts, one.rights, one.counts, strict=True) for number in row]
    content = tensors.doubles_tensor(rows, [len(one.counts), 3])
    return _event(one.time, one.step, one.tag, _metadata(events.HISTOGRAMS, _TENSOR) + wire.block(8, content))


def params(one: Params) -> bytes:
    """Parameters, and behind them the tags as others of the name `tags.NAME`: the dashboard has no tags."""
    shown = {events.TAG + name: value for name, value in one.tags.items()} | one.values
    pairs = b"".join(
        wire.block(1, wire.block(1, name) + wire.block(2, _plain(value)))
        for name, value in shown.items()
        if value is not None
    )
    exact = {name: held for name, held in one.values.items() if type(held) is int or name.startswith(events.TAG)}
    said = wire.block(events.EXACT, msgspec.json.encode(Exact(params=exact, tags=one.tags)))
    return _session(events.SESSION_START, one.time, wire.block(3, pairs + wire.double(5, one.time) + said))


def ended(one: Ended) -> bytes:
    said = wire.whole(1, _STATUS[one.status]) + wire.double(2, one.time)
    if one.status == "killed":
        said += wire.whole(events.EXACT, 1)
    return _session(events.SESSION_END, one.time, wire.block(4, said))


def _plain(value: Scalar) -> bytes:
    """A value as the dashboard can hold it: a whole number that a float does not hold is shown as text."""
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return wire.block(3, str(value))
    if isinstance(value, bool):
        return wire.whole(4, value)
    return wire.block(3, value) if isinstance(value, str) else wire.double(2, float(value or 0))


def _session(tag: str, time: float, said: bytes) -> bytes:
    return _event(time, 0, tag, _metadata(events.PARAMS, 0, said))


def _metadata(plugin: str, kind: int, content: bytes = b"") -> bytes:
    data = wire.block(1, plugin) + (wire.block(2, content) if content else b"")
    return wire.block(9, wire.block(1, data) + (wire.whole(4, kind) if kind else b""))


def _event(time: float, step: int, tag: str, value: bytes) -> bytes:
    return wire.double(1, time) + wire.whole(2, step) + wire.block(5, wire.block(1, wire.block(1, tag) + value))


def _size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG: the first two numbers of its first part."""
    return struct.unpack(">II", png[16:24]) if len(png) >= 24 else (0, 0)
