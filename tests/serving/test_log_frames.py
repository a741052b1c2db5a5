"""Entries as a table."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from heptad.serving.dataplane import Asked, answer
from heptad.serving.log_frames import frame_of, with_inputs
from heptad.serving.log_rows import prediction_of
from heptad.serving.messages import Entries
from heptad.training import Input, Signature

MakeEntries = Callable[..., Entries]
SCHEMA = {
    "id": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "caller": pl.String(),
    "endpoint": pl.String(),
    "generation": pl.Int64(),
    "version": pl.String(),
    "role": pl.String(),
    "label": pl.String(),
    "score": pl.Float64(),
    "probabilities": pl.List(pl.Float64()),
    "warnings": pl.List(pl.String()),
    "shadows": pl.List(pl.Struct({"version": pl.String(), "score": pl.Float64()})),
    "latency_ms": pl.Float64(),
}


def test_every_request_becomes_its_rows(entries_of: MakeEntries) -> None:
    """What a request has once is repeated, what each row has stands beside it, in order."""
    frame = frame_of([entries_of("a", "b", caller="x"), entries_of("c", caller="y", colour="green")], "tiny")
    assert frame["id"].to_list() == ["a", "b", "c"]
    assert frame["caller"].to_list() == ["x", "x", "y"]
    assert frame["at"].to_list() == [datetime(2013, 4, 1, tzinfo=UTC)] * 3
    assert frame["warnings"].to_list() == [[], [], ["colour: a value that training never saw"]]
    assert frame["endpoint"].unique().to_list() == ["tiny"]


def test_the_schema_does_not_depend_on_the_rows(entries_of: MakeEntries) -> None:
    """With no row at all, the columns that do not come from inputs are there with their types."""
    for frame in (frame_of([], "tiny"), frame_of([entries_of("a")], "tiny")):
        assert {name: kind for name, kind in frame.schema.items() if name in SCHEMA} == SCHEMA


def test_inputs_have_their_own_types(entries_of: MakeEntries) -> None:
    """Numbers, texts, booleans and moments come out as such, and null as null."""
    moment = datetime(2013, 4, 1, 6, 30, tzinfo=UTC)
    entries = [entries_of("a"), entries_of("b", x=None, y=None, colour=None, sunny=None, at=5)]
    inputs = with_inputs(frame_of(entries, "tiny").lazy()).collect()["inputs"].to_list()
    assert inputs[0] == {"x": 1.0, "y": 2.0, "colour": "red", "sunny": True, "at": moment}
    assert inputs[1] == {"x": None, "y": None, "colour": None, "sunny": None, "at": moment}


def test_a_regression_is_text_in_the_table(shop: Any) -> None:
    """Its number in the shortest form that reads back as the same, and no probabilities."""
    signature = Signature(inputs=[Input(name="x", type="number")], task="regression", target="price")
    shop.publish(shop.route(1, signature=signature, shift=0.1))
    asked = Asked(rows=[{"x": 0.4}], ids=["a"], caller="me", at=0, began=0.0)
    (part,) = answer(shop.snapshot(), asked, log_inputs=True)
    frame = frame_of([part.entries], "tiny")
    assert frame["probabilities"].to_list() == [None]
    assert frame["label"].to_list() == [repr(0.4 / 2 + 0.1)]


def test_models_with_other_inputs_stand_in_one_table(shop: Any, entries_of: MakeEntries, signature: Signature) -> None:
    """Each row has the inputs of its own version; the others are null, and its record does not know them."""
    wider = msgspec.structs.replace(signature, inputs=[Input(name="gust", type="number")])
    shop.publish(shop.route(2, signature=wider))
    asked = Asked(rows=[{"gust": 3.0}], ids=["b"], caller="me", at=0, began=0.0)
    (part,) = answer(shop.snapshot(), asked, log_inputs=True)
    frame = frame_of([entries_of("a"), part.entries], "tiny")
    rows = {one["id"]: one for one in frame.iter_rows(named=True)}
    assert prediction_of(rows["b"]).inputs == {"gust": 3.0}
    assert set(prediction_of(rows["a"]).inputs) == {one.name for one in signature.inputs}


def test_a_log_without_inputs_has_no_column_of_them(shop: Any, row: dict[str, Any]) -> None:
    """Where inputs are not kept, nothing pretends that they were null."""
    shop.publish(shop.route(1))
    asked = Asked(rows=[row], ids=["a"], caller="me", at=0, began=0.0)
    (part,) = answer(shop.snapshot(), asked, log_inputs=False)
    frame = frame_of([part.entries], "tiny")
    assert "inputs" not in with_inputs(frame.lazy()).collect_schema()
