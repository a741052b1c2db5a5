"""Single predictions out of entries and out of rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from heptad.serving.dataplane import Asked, answer
from heptad.serving.log_frames import frame_of
from heptad.serving.log_rows import prediction_at, prediction_of
from heptad.serving.messages import Entries
from heptad.serving.records import Prediction
from heptad.training import Input, Signature

MakeEntries = Callable[..., Entries]


def both_ways(entries: Entries, place: int = 0) -> Prediction:
    """The prediction, which the entry and the table's row must agree on."""
    found = prediction_at(entries, place, "tiny")
    assert prediction_of(frame_of([entries], "tiny").row(place, named=True)) == found
    return found


def asked(shop: Any, row: dict[str, Any], *, log_inputs: bool = True) -> Entries:
    (part,) = answer(shop.snapshot(), Asked(rows=[row], ids=["a"], caller="me", at=0, began=0.0), log_inputs=log_inputs)
    entries: Entries = part.entries
    return entries


def test_a_row_reads_back_as_a_prediction(entries_of: MakeEntries, row: dict[str, Any]) -> None:
    """The record holds the inputs as a client would send them again: whole numbers are whole."""
    prediction = both_ways(entries_of("z", "a"), 1)
    assert prediction.inputs == row | {"at": datetime(2013, 4, 1, 6, 30, tzinfo=UTC)}
    assert isinstance(prediction.inputs["y"], int)
    assert (prediction.id, prediction.version, prediction.label) == ("a", "tiny@1", "on time")
    assert (prediction.shadows, prediction.warnings) == ({}, [])


def test_missing_values_stay_missing(entries_of: MakeEntries) -> None:
    """Null comes back as null, whatever the type is, and not as a number or an empty text."""
    prediction = both_ways(entries_of("a", x=None, y=None, colour=None, sunny=None))
    assert {name: prediction.inputs[name] for name in ("x", "y", "colour", "sunny")} == dict.fromkeys(
        ("x", "y", "colour", "sunny")
    )


def test_a_regression_reads_back_as_a_number(shop: Any) -> None:
    """The label of a regression is text in the table and a number in the record."""
    signature = Signature(inputs=[Input(name="x", type="number")], task="regression", target="price")
    shop.publish(shop.route(1, signature=signature, shift=0.1))
    assert both_ways(asked(shop, {"x": 0.4})).label == 0.4 / 2 + 0.1


def test_shadows_that_said_nothing_are_left_out(shop: Any, row: dict[str, Any], signature: Signature) -> None:
    """A shadow is named with its score, where it has one."""
    wider = msgspec.structs.replace(signature, inputs=[*signature.inputs, Input(name="gust", type="number")])
    shop.publish(shop.route(1), shop.route(2, "shadow", shift=1.0), shop.route(3, "shadow", signature=wider, shift=2.0))
    assert both_ways(asked(shop, row)).shadows == {"tiny@2": pytest.approx(0.8175744761936437)}


def test_an_entry_without_inputs_has_none(shop: Any, row: dict[str, Any]) -> None:
    """Where inputs are not kept, the record does not pretend that they were null."""
    shop.publish(shop.route(1))
    assert both_ways(asked(shop, row, log_inputs=False)).inputs == {}
