"""Tensors as event files hold them (TensorFlow's `TensorProto`): numbers of any width, or texts."""

import math
import struct
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from heptad.experiments.event_files import wire
from heptad.experiments.event_files.wire import Message, WireError

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

FLOAT, DOUBLE, STRING = 1, 2, 7
_HALF, _BFLOAT16 = 19, 14
_TYPES: Final[dict[int, tuple[str, int]]] = {
    FLOAT: ("<f4", 5),
    DOUBLE: ("<f8", 6),
    3: ("<i4", 7),
    4: ("u1", 7),
    5: ("<i2", 7),
    6: ("i1", 7),
    9: ("<i8", 10),
    10: ("?", 11),
    17: ("<u2", 7),
    22: ("<u4", 16),
    23: ("<u8", 17),
    _HALF: ("<f2", 13),
    _BFLOAT16: ("<u2", 13),
}
"""Number of a type to how NumPy calls it, and to the field that holds its values one by one."""
_CONTENT, _STRINGS = 4, 8
_MOST: Final = 1 << 26
"""Values of a tensor at most; a shape may claim any number of repeated ones."""


def numbers_of(tensor: Message) -> Numbers:
    """The values in the shape they have; raises `WireError` for a tensor of texts or of a type that is no number."""
    kind, shape = tensor.whole(1), _sizes(tensor.message(2))
    if kind not in _TYPES:
        raise WireError(f"a tensor of type {kind} where numbers were expected")
    name, field = _TYPES[kind]
    content, size = tensor.block(_CONTENT), math.prod(shape)
    if size > _MOST:
        raise WireError(f"a tensor of {size:,} values")
    if content:
        if len(content) != size * np.dtype(name).itemsize:
            raise WireError("a tensor whose content is not of its shape")
        found = np.frombuffer(content, name)
    else:
        found = _filled(_listed(tensor, kind, name, field), size)
    if kind == _BFLOAT16:
        found = (found.astype(np.uint32) << 16).view(np.float32)
    return found.reshape(shape)


def texts_of(tensor: Message) -> list[bytes]:
    """The values of a tensor of texts, one after the other; raises `WireError` for any other."""
    if tensor.whole(1) != STRING:
        raise WireError(f"a tensor of type {tensor.whole(1)} where texts were expected")
    return tensor.blocks(_STRINGS)


def doubles_tensor(values: Sequence[float], shape: Sequence[int] = ()) -> bytes:
    """A tensor of 64-bit floats."""
    return (
        wire.whole(1, DOUBLE)
        + wire.block(2, _shape(shape))
        + wire.block(_CONTENT, struct.pack(f"<{len(values)}d", *values))
    )


def texts_tensor(values: Sequence[bytes | str], shape: Sequence[int] = ()) -> bytes:
    """A tensor of texts."""
    return wire.whole(1, STRING) + wire.block(2, _shape(shape)) + b"".join(wire.block(_STRINGS, one) for one in values)


def _shape(shape: Sequence[int]) -> bytes:
    return b"".join(wire.block(2, wire.whole(1, size)) for size in shape)


def _sizes(shape: Message) -> list[int]:
    found = [dimension.whole(1) for dimension in shape.messages(2)]
    if any(size < 0 for size in found):
        raise WireError("a tensor of unknown shape")
    return found


def _listed(tensor: Message, kind: int, name: str, field: int) -> Numbers:
    """Values that stand one by one."""
    if kind in {FLOAT, DOUBLE}:
        return np.array(tensor.singles(field) if kind == FLOAT else tensor.floats(field), name)
    # As 64 bits first: values of unsigned types come as signed ones, and those of 16 bits as their pattern.
    values = np.array(tensor.wholes(field), np.int64)
    return values.astype(np.uint16).view(np.float16) if kind == _HALF else values.astype(name)


def _filled(values: Numbers, size: int) -> Numbers:
    """As many values as the shape asks for: where there are fewer, the last is repeated."""
    if len(values) > size or (size and not len(values)):
        raise WireError(f"a tensor of {size:,} values that holds {len(values):,}")
    return np.append(values, np.repeat(values[-1:], size - len(values))) if len(values) < size else values
