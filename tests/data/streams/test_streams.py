"""The streams of a project, by name."""

from pathlib import Path

import pytest
from tests.adapters.brokers import send_kafka, settings_of

from heptad.core.errors import InputError, NotFoundError
from heptad.data import Place, SourceSettings, Until
from heptad.data.streams.streams import Streams


def test_streams_are_landed_and_looked_at(topic: str, tmp_path: Path) -> None:
    """Rows, poison and positions are told, before anything landed too."""
    sources = {"orders": settings_of(f"kafka://{topic}"), "weather": SourceSettings(uri="weather.csv")}
    streams = Streams(Place(root=tmp_path), sources)
    (before,) = streams.states()
    assert (before.name, before.rows, before.poison, before.positions) == ("orders", 0, 0, {})
    assert streams.poison("").collect().is_empty()
    servers, _, name = topic.partition("/")
    send_kafka(servers, name, [b'{"number": 1}', b"{", b'{"number": 2}'])
    assert streams.land("orders", Until(now=True)).rows == 2
    (after,) = streams.states()
    assert (after.rows, after.poison, after.where) == (2, 1, f"kafka://{topic}")
    assert (tmp_path / after.table / "_delta_log").is_dir()
    assert streams.poison("orders").collect()["payload"].to_list() == [b"{"]


def test_a_stream_is_named_unless_it_is_the_only_one(tmp_path: Path) -> None:
    """A name that is none comes with those that are."""
    two = {name: settings_of(f"kafka://host/{name}") for name in ("orders", "clicks")}
    streams = Streams(Place(root=tmp_path), two)
    assert streams.named("orders") == "orders"
    with pytest.raises(InputError, match="There are 2: clicks, orders"):
        streams.named("")
    with pytest.raises(NotFoundError) as told:
        streams.named("order")
    assert "did you mean 'orders'" in told.value.allowed
    with pytest.raises(InputError, match="There are 0: none"):
        Streams(Place(root=tmp_path), {}).named("")
