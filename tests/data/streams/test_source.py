"""What a stream has landed is a source: brought up to date, ordered, typed, with its positions as the watermark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.adapters.brokers import send_kafka, settings_of

from heptad.core.errors import DataError, UnavailableError
from heptad.data import Estimate, Place, Source, Until, follow, open_source
from heptad.data.streams import source as source_module
from heptad.data.streams.source import StreamSource
from heptad.testing.source_contract import SourceContract


def sent(topic: str, *payloads: bytes) -> None:
    servers, _, name = topic.partition("/")
    send_kafka(servers, name, payloads)


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "NEW_SECONDS", 0.0)


def opened(folder: Path, topic: str, **settings: Any) -> Source:
    made = open_source(settings_of(f"kafka://{topic}", **settings), Place(root=folder))
    assert isinstance(made, StreamSource)
    return made


class TestStreamSource(SourceContract):
    @pytest.fixture
    def source(self, topic: str, tmp_path: Path) -> Source:
        sent(topic, b'{"number": 1, "word": "a"}', b'{"number": 2, "tags": ["x"]}')
        return opened(tmp_path, topic)

    @pytest.fixture
    def change(self, topic: str) -> Callable[[], None]:
        return lambda: sent(topic, b'{"number": 3}')


def test_rows_keep_the_order_in_which_they_landed(topic: str, tmp_path: Path) -> None:
    """So that what came later stands behind what was there."""
    source = opened(tmp_path, topic)
    seen: list[int] = []
    for start in (100, 50, 0):
        sent(topic, *(b'{"number": %d}' % one for one in range(start, start + 20)))
        source.digest()
        rows = source.read().rows.collect()
        assert rows.columns == ["number"]
        assert rows["number"].head(len(seen)).to_list() == seen
        seen = rows["number"].to_list()
    assert sorted(seen) == [*range(20), *range(50, 70), *range(100, 120)]


def test_positions_and_poison_are_told(topic: str, tmp_path: Path) -> None:
    """With a version, then, it is recorded what it was made of and what was left out."""
    sent(topic, b'{"number": 1, "at": "2026-01-01T00:00:00Z"}', b"{", b"[", b"{")
    source = opened(tmp_path, topic)
    source.digest()
    table = source.read()
    assert table.understood["format"] == "json of kafka"
    assert sum(int(one.split(": ")[1]) + 1 for one in table.understood["positions"].split(", ")) == 4
    assert table.rows.collect_schema()["at"] == pl.Datetime("us", "UTC")
    (repair,) = table.repairs
    assert (repair.rule, repair.rows) == ("poison", 3)
    assert len(repair.examples) == 2


def test_the_time_of_the_broker_is_a_column_where_it_is_asked_for(topic: str, tmp_path: Path) -> None:
    """Nobody has it when a prediction is asked for, so it is no feature."""
    sent(topic, b'{"number": 1}')
    source = opened(tmp_path, topic, time="stream_time")
    source.digest()
    assert source.read().rows.collect_schema() == {"stream_time": pl.Datetime("us", "UTC"), "number": pl.Int64()}


def test_times_that_are_numbers_are_read_by_the_settled_unit(topic: str, tmp_path: Path) -> None:
    """What landed before it was settled, and is none, spoils no other; the same numbers in another unit are poison."""
    sent(topic, b'{"at": 7}', *[b'{"at": 1767261600}'] * 150)
    source = opened(tmp_path, topic, time="at")
    source.digest()
    sent(topic, b'{"at": 1767261600000}')
    source.digest()
    table = source.read()
    times = table.rows.collect()["at"]
    assert (times.dtype, times.null_count(), len(times)) == (pl.Datetime("us", "UTC"), 1, 151)
    assert {one.rule: one.rows or one.cells for one in table.repairs} == {"poison": 1, "not_a_time": 1}
    assert table.understood["column at"] == "times as Unix time in seconds"


def test_what_has_landed_is_read_while_it_grows(topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest and the rows that are read after it are of one moment."""
    monkeypatch.setattr(source_module, "NEW_SECONDS", 60.0)
    sent(topic, b'{"number": 1}')
    source = opened(tmp_path, topic)
    digest = source.digest()
    sent(topic, b'{"number": 2}')
    follow(settings_of(f"kafka://{topic}"), Place(root=tmp_path), Until(now=True))
    assert (source.digest(), source.read().rows.collect().height) == (digest, 1)
    assert opened(tmp_path, topic).digest() != digest


def test_without_draining_no_broker_is_asked(topic: str, tmp_path: Path) -> None:
    """A broker that is away is an error else: what it holds is part of the source."""
    sent(topic, b'{"number": 1}')
    follow(settings_of(f"kafka://{topic}"), Place(root=tmp_path), Until(now=True))
    sent(topic, b'{"number": 2}')
    source = opened(tmp_path, topic, drain="0s")
    source.digest()
    assert source.read().rows.collect()["number"].to_list() == [1]
    with pytest.raises(UnavailableError):
        opened(tmp_path, "127.0.0.1:1/t", timeout="100ms").digest()


def test_a_stream_of_which_nothing_landed_is_told(topic: str, tmp_path: Path) -> None:
    """With where to look."""
    with pytest.raises(DataError, match="Nothing has landed"):
        opened(tmp_path, topic, drain="0s").digest()
    sent(topic, b"{")
    source = opened(tmp_path, topic)
    source.digest()
    with pytest.raises(DataError, match="Nothing has landed") as told:
        source.read()
    assert "heptad data stream poison" in told.value.remedy


def test_what_is_waiting_is_the_estimate(topic: str, tmp_path: Path) -> None:
    """Asking reads none of it; a stream that only others land is not asked about."""
    sent(topic, b'{"n": 1}', b'{"n": 2}', b"no row")
    source = opened(tmp_path, topic)
    assert source.estimate() == Estimate(3, "messages")
    source.digest()
    assert source.estimate() == Estimate(0, "messages")
    assert len(source.read().rows.collect()) == 2
    assert opened(tmp_path, topic, drain="0s").estimate() is None
