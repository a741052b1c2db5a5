"""Tensors of every type of number, listed or packed, held against NumPy."""

import numpy as np
import pytest
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from heptad.experiments.event_files.tensors import doubles_tensor, numbers_of, texts_of, texts_tensor
from heptad.experiments.event_files.wire import Message, WireError


def shape(*sizes: int) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def numbers(proto: TensorProto) -> np.ndarray:
    return numbers_of(Message(proto.SerializeToString()))


@pytest.mark.parametrize(
    ("kind", "name"),
    [(1, "f4"), (2, "f8"), (3, "i4"), (4, "u1"), (5, "i2"), (6, "i1"), (9, "i8"), (10, "?"), (19, "f2"), (23, "u8")],
)
def test_packed_content_is_read_by_its_type(kind, name):
    """The bytes as NumPy has them, in their shape."""
    values = np.array([[0, 1, 1], [1, 0, 1]], name)
    got = numbers(TensorProto(dtype=kind, tensor_shape=shape(2, 3), tensor_content=values.tobytes()))
    assert got.dtype == values.dtype
    assert got.tolist() == values.tolist()


def test_listed_values_are_read_from_the_field_of_their_type():
    """Floats of either width, whole numbers, truth values, halves as their pattern."""
    assert numbers(TensorProto(dtype=1, float_val=[0.1])).tolist() == np.float32(0.1)
    assert numbers(TensorProto(dtype=2, double_val=[0.1])).tolist() == 0.1
    assert numbers(TensorProto(dtype=9, int64_val=[-(2**60)])).tolist() == -(2**60)
    assert numbers(TensorProto(dtype=10, bool_val=[True])).tolist() is True
    assert numbers(TensorProto(dtype=19, half_val=[int(np.float16(1.5).view(np.uint16))])).tolist() == 1.5
    brain = TensorProto(dtype=14, half_val=[int(np.float32(-2.0).view(np.uint32)) >> 16])
    assert numbers(brain).tolist() == -2.0


def test_a_value_that_stands_once_fills_the_shape():
    """As the format has it: the last one is repeated."""
    assert numbers(TensorProto(dtype=1, tensor_shape=shape(3), float_val=[1, 2])).tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    "proto",
    [
        TensorProto(dtype=7, string_val=[b"x"]),
        TensorProto(dtype=1, tensor_shape=shape(2), tensor_content=b"1234"),
        TensorProto(dtype=1, tensor_shape=shape(2)),
        TensorProto(dtype=1, tensor_shape=shape(-1), float_val=[1]),
        TensorProto(dtype=1, tensor_shape=shape(1 << 40), float_val=[1]),
    ],
)
def test_a_tensor_that_holds_other_than_it_says_is_an_error(proto):
    """Texts, too few bytes, none, an unknown shape, a shape that would take all memory."""
    with pytest.raises(WireError):
        numbers(proto)


def test_ours_are_read_by_the_library():
    """Doubles as they are, texts as bytes."""
    real = TensorProto.FromString(doubles_tensor([0.1, 0.2, 0.3], [1, 3]))
    assert np.frombuffer(real.tensor_content).tolist() == [0.1, 0.2, 0.3]
    assert [one.size for one in real.tensor_shape.dim] == [1, 3]
    texts = texts_tensor(["ä", b"\xff"], [2])
    assert list(TensorProto.FromString(texts).string_val) == ["ä".encode(), b"\xff"]
    assert texts_of(Message(texts)) == ["ä".encode(), b"\xff"]
