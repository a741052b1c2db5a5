"""Streams are found by the scheme of their address; batches are cut."""

import pytest
from tests.adapters.brokers import settings_of

from heptad.core.errors import NotFoundError
from heptad.data.sources.source import is_stream
from heptad.data.streams.stream import Batch, open_stream


def test_a_batch_is_cut_at_places() -> None:
    """Every list that it has is; one that it has not stays empty."""
    batch = Batch(payloads=[b"a", b"b", b"c"], keys=[None, "k", None], times=[1, 2, 3], partitions=[0, 0, 1])
    assert batch.at([1, 2]) == Batch(payloads=[b"b", b"c"], keys=["k", None], times=[2, 3], partitions=[0, 1])
    assert len(batch.at([])) == 0


def test_a_scheme_that_nothing_reads_is_told() -> None:
    """With those that are read."""
    with pytest.raises(NotFoundError) as told:
        open_stream(settings_of("kafk://host/topic"), "reader")
    assert "kafka" in told.value.allowed


def test_streams_are_told_from_other_sources() -> None:
    """By what the catalogue knows of their scheme."""
    assert all(is_stream(f"{scheme}://host/topic") for scheme in ("kafka", "nats", "mqtt"))
    assert not any(map(is_stream, ("s3://b/k", "rows.csv", "postgresql://host/db", "C:/rows.csv", "nothing://host/x")))
