"""People leave all that streams have landed in a workspace, whoever names those streams still."""

from pathlib import Path

import polars as pl
import pytest
from tests.adapters.brokers import settings_of
from tests.data.streams.test_source import opened, sent

from heptad.core.errors import ConflictError
from heptad.data import Place, Subjects
from heptad.data.streams.following import landed_folder, open_landing
from heptad.data.streams.forgetting import forget_landed
from heptad.data.streams.locks import landing_alone
from heptad.data.streams.source import StreamSource
from heptad.data.versions.tables import Table


def test_people_are_taken_out_of_what_has_landed(topic: str, tmp_path: Path) -> None:
    """Out of rows, of messages that nobody could read, and of all old files; nothing of it lands again."""
    sent(topic, *(b'{"who": "%s", "n": %d}' % (b"token-of-anna" if one % 2 else b"bert", one) for one in range(10)))
    sent(topic, b'{"who": "token-of-anna"', b"{ atoken-of-annab", b"[")
    source = opened(tmp_path, topic)
    source.digest()
    assert source.read().rows.collect().height == 10
    assert isinstance(source, StreamSource)
    anna = Subjects(columns=["who"], keys=[["token-of-anna"]])
    workspace = tmp_path / ".heptad"
    assert [forget_landed(workspace, anna, dry_run=dry_run) for dry_run in (True, False, False)] == [6, 6, 0]
    source = opened(tmp_path, topic)
    sent(topic, b'{"who": "carl", "n": 10}')
    source.digest()
    table = source.read()
    assert table.rows.collect()["n"].sort().to_list() == [0, 2, 4, 6, 8, 10]
    assert [one.rows for one in table.repairs] == [2]
    folder = tmp_path / ".heptad" / "tables"
    assert not any(b'"token-of-anna' in path.read_bytes() for path in folder.rglob("*.json"))
    landed = [pl.read_parquet(path) for path in folder.glob("stream-*/*.parquet")]
    assert not any("token-of-anna" in rows["who"].to_list() for rows in landed if "who" in rows.columns)


def test_nobody_is_taken_out_while_another_process_lands(tmp_path: Path) -> None:
    """It would land by what it has in memory; the erasure is told to go on afterwards."""
    settings, place = settings_of("kafka://host/topic"), Place(root=tmp_path)
    open_landing(settings, place)
    anna = Subjects(columns=["who"], keys=[["anna"]])
    with (
        landing_alone(landed_folder(settings, place), "the topic", 0.0),
        pytest.raises(ConflictError, match="--resume"),
    ):
        forget_landed(tmp_path / ".heptad", anna)
    assert forget_landed(tmp_path / ".heptad", anna) == 0


def test_what_only_looks_like_a_stream_is_left_alone(tmp_path: Path) -> None:
    """A data set may be called so; and where nothing has landed nobody is."""
    anna = Subjects(columns=["who"], keys=[["anna"]])
    assert forget_landed(tmp_path, anna) == 0
    table = Table(tmp_path / "tables" / "stream-lined")
    table.write(pl.LazyFrame({"who": ["anna"]}))
    assert forget_landed(tmp_path, anna) == 0
    assert table.newest() == 1
