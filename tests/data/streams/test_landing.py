"""Batches land once, whatever comes again and wherever the process dies between two durable acts."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import OnChange
from heptad.data.streams import landed as landed_module
from heptad.data.streams.decoding import Decoded, JsonDecoder
from heptad.data.streams.landing import Landing
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.records import Landed
from heptad.data.streams.stream import Batch


class KilledError(BaseException):
    """Stands for the death of the process: nothing may catch it."""


def batch(payloads: Sequence[bytes], first: int = 0, partition: int = 0) -> Batch:
    """Messages of one partition, numbered from `first` on."""
    count = len(payloads)
    return Batch(
        payloads=list(payloads),
        keys=["key"] * count,
        times=[1_700_000_000_000] * count,
        partitions=[partition] * count,
        positions=list(range(first, first + count)),
    )


def row(number: float, **more: Any) -> bytes:
    return json.dumps({"number": number} | more).encode()


def landing(folder: Path, name: str = "", window: int = 1_000) -> Landing:
    return Landing(folder / "t", JsonDecoder, name, window)


def rows_of(made: Landing) -> pl.DataFrame:
    return made.rows.scan().sort("stream_commit", "stream_partition", "stream_position").collect()


def test_rows_land_with_what_the_broker_told(tmp_path: Path) -> None:
    """Position, partition, time and key of each, beside the fields of the message."""
    made = landing(tmp_path)
    assert made.land(batch([row(1), row(2, word="π")], first=5, partition=3)) == Landed(rows=2)
    rows = rows_of(made)
    assert rows["stream_position"].to_list() == [5, 6]
    assert rows["stream_partition"].to_list() == [3, 3]
    assert rows["stream_time"].dt.timestamp("ms").to_list() == [1_700_000_000_000] * 2
    assert rows["stream_key"].to_list() == ["key", "key"]
    assert rows["word"].to_list() == [None, "π"]
    assert made.rows.positions() == {3: 6}


def test_what_has_landed_is_left_out_also_by_the_next_process(tmp_path: Path) -> None:
    """Partition by partition."""
    landing(tmp_path).land(batch([row(1), row(2)]))
    made = landing(tmp_path)
    assert made.land(batch([row(1), row(2), row(3)])) == Landed(rows=1, repeated=2)
    assert made.land(batch([row(4)], partition=1)) == Landed(rows=1)
    assert made.land(batch([row(4)], partition=1)) == Landed(repeated=1)
    assert sorted(rows_of(made)["number"]) == [1, 2, 3, 4]


def test_poison_keeps_its_bytes_its_reason_and_its_place(tmp_path: Path) -> None:
    """A batch of nothing else moves the position as well."""
    made = landing(tmp_path)
    made.land(batch([row(1), b"\xff\x00", b'{"number": "x"}', row(2)]))
    assert made.land(batch([b"{"], first=4)) == Landed(poison=1)
    poison = made.poison.scan().sort("stream_position").collect()
    assert poison["payload"].to_list() == [b"\xff\x00", b'{"number": "x"}', b"{"]
    assert poison["stream_position"].to_list() == [1, 2, 4]
    assert poison["reason"][1] == "field number: expected an integer, got a text"
    assert made.rows.positions() == {0: 4}
    assert landing(tmp_path).land(batch([b"{"], first=4)) == Landed(repeated=1)


def test_a_message_sent_twice_lands_once_by_its_id(tmp_path: Path) -> None:
    """In one batch, in a later one, and in another process; one without an id is poison."""
    made = landing(tmp_path, "number")
    assert made.land(batch([row(1), row(2), row(1)])) == Landed(rows=2, repeated=1)
    assert made.land(batch([row(2), row(3)], first=3)) == Landed(rows=1, repeated=1)
    again = landing(tmp_path, "number")
    assert again.land(batch([row(3), row(4), b'{"other": 1}'], first=5)) == Landed(rows=1, repeated=1, poison=1)
    assert rows_of(again)["number"].to_list() == [1, 2, 3, 4]
    assert "field number, which names a message, is missing" in again.poison.scan().collect()["reason"].to_list()


def test_an_id_is_looked_for_in_its_window(tmp_path: Path) -> None:
    """Behind it, the message lands again."""
    for _ in range(2):
        made = landing(tmp_path, "number", window=3)
        start = made.rows.positions().get(0, -1) + 1
        made.land(batch([row(start + one) for one in range(4)], first=start))
        assert made.land(batch([row(start + 1), row(start)], first=start + 4)) == Landed(rows=1, repeated=1)


def test_an_id_that_no_message_has_is_told(tmp_path: Path) -> None:
    """Rather than everything going to quarantine."""
    with pytest.raises(DataError, match="no field 'nmber'") as told:
        landing(tmp_path, "nmber").land(batch([row(1)]))
    assert "number" in told.value.allowed
    assert landing(tmp_path).rows.positions() == {}


def test_without_positions_messages_are_counted_and_known_by_their_marks(tmp_path: Path) -> None:
    """Only those that the broker says it delivers again, and also those that were poison."""

    def marked(*payloads: bytes, again: bool = False) -> Batch:
        count = len(payloads)
        told = {"keys": [None] * count, "times": [0] * count, "partitions": [0] * count, "again": [again] * count}
        return Batch(payloads=list(payloads), marks=[f"m{one!r}" for one in payloads], **told)

    made = landing(tmp_path)
    assert made.land(marked(row(1), b"{")) == Landed(rows=1, poison=1)
    assert made.land(marked(row(1), row(2))) == Landed(rows=2)
    made = landing(tmp_path)
    assert made.land(marked(row(2), b"{", row(3), again=True)) == Landed(rows=1, repeated=2)
    assert rows_of(made)["number"].to_list() == [1, 1, 2, 3]
    assert rows_of(made)["stream_position"].to_list() == [0, 2, 3, 4]


def test_what_a_broker_retains_is_held_against_what_landed_last_of_its_key(tmp_path: Path) -> None:
    """Where it is the same it has landed; a value that came back after another one lands, and so does what is new."""

    def of_keys(told: dict[str, bytes], *, retained: bool) -> Batch:
        count, payloads = len(told), list(told.values())
        same: dict[str, list[Any]] = {"times": [0] * count, "partitions": [0] * count, "again": [False] * count}
        marks = [f"{place}{retained}-{one.hex()}" for place, one in enumerate(payloads)]
        return Batch(payloads=payloads, keys=[*told], marks=marks, retained=[retained] * count, **same)

    made = landing(tmp_path)
    assert made.land(of_keys({"a": row(1), "b": row(2), "c": b"{"}, retained=True)) == Landed(rows=2, poison=1)
    assert made.land(of_keys({"b": row(3), "c": b"["}, retained=False)) == Landed(rows=1, poison=1)
    made = landing(tmp_path)
    again = {"a": row(1), "b": row(2), "c": b"[", "d": row(1)}
    assert made.land(of_keys(again, retained=True)) == Landed(rows=2, repeated=2)
    assert made.land(of_keys({"a": row(1)}, retained=False)) == Landed(rows=1)


messages = st.sampled_from(
    [
        row,
        lambda number: row(number, more=1),
        lambda number: row(number, more="text"),
        lambda number: row(number, more=None, other={}),
        lambda number: row(number, other=1.5),
        lambda number: row(number, other=2**70),
        lambda number: row(number, other={"in": number}),
        lambda number: row(number, Other=[number]),
        lambda number: b'{"number": "%d"}' % number,
        lambda number: b"broken %d" % number,
    ]
)


@given(
    made=st.lists(st.tuples(messages, st.integers(0, 1)), min_size=1, max_size=14),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    deaths=st.lists(st.integers(1, 9), max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_each_message_is_in_one_of_the_tables_once_wherever_the_process_dies(
    made: list[tuple[Callable[[int], bytes], int]],
    sizes: list[int],
    deaths: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Read again from the positions that are there, in batches cut otherwise, over two partitions."""
    folder = tmp_path_factory.mktemp("landing")
    partitions: list[list[bytes]] = [[], []]
    for number, (make, partition) in enumerate(made):
        partitions[partition].append(make(number))
    remaining = [*deaths, 10_000]
    counter = [0]

    def dying(_name: str) -> None:
        counter[0] += 1
        if counter[0] == remaining[0]:
            raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landed_module, "boundary", dying)
        turn = 0
        while remaining:
            counter[0] = 0
            try:
                process = landing(folder)
                while (read := _behind(process.rows.positions(), partitions, sizes[turn % len(sizes)])) is not None:
                    turn += 1
                    process.land(read)
                break
            except KilledError:
                turn += 1
                remaining.pop(0)
    landed = Counter((row["stream_partition"], row["stream_position"]) for row in rows_of(process).to_dicts())
    poison = Counter(process.poison.scan().select("stream_partition", "stream_position").collect().rows())
    expected = {(one, place): 1 for one in (0, 1) for place in range(len(partitions[one]))}
    assert landed + poison == Counter(expected)


def _behind(positions: dict[int, int], partitions: list[list[bytes]], size: int) -> Batch | None:
    """The next messages of both partitions, `size` of each at most."""
    first, second = (
        batch(messages[(start := positions.get(one, -1) + 1) : start + size], start, one)
        for one, messages in enumerate(partitions)
    )
    if not len(first) and not len(second):
        return None
    return Batch(**{name: getattr(first, name) + getattr(second, name) for name in first.__struct_fields__})


def test_what_was_decided_before_an_accident_stays_so_when_later_messages_add_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty object says nothing, until its field turns out to be a number: here between two deaths."""
    calls = iter(range(1, 100))

    def dying(_name: str) -> None:
        if next(calls) == 5:  # after the columns and the poison, before the rows
            raise KilledError

    monkeypatch.setattr(landed_module, "boundary", dying)
    sent = [row(1, late={}), b"{"]
    with pytest.raises(KilledError):
        landing(tmp_path).land(batch(sent))
    made = landing(tmp_path)
    assert (made.poison.positions(), made.rows.positions()) == ({0: 1}, {})
    assert made.land(batch([*sent, row(2, late=5), row(3, late={})])) == Landed(rows=2, poison=1)
    assert rows_of(made).select("number", "late").rows() == [(1, None), (2, 5)]
    assert made.poison.scan().collect()["stream_position"].sort().to_list() == [1, 3]


def test_a_column_becomes_text_where_that_is_accepted(tmp_path: Path) -> None:
    """Rows that had landed are written out; what is refused goes to the quarantine with its reason."""
    policy = ChangePolicy(OnChange(added="refuse", dropped="accept", retyped="accept"))

    def opened() -> Landing:
        return Landing(tmp_path / "t", lambda present: JsonDecoder(present, policy))

    opened().land(batch([row(1, open=True), row(2, open=False)]))
    opened().land(batch([row(3, open="maybe"), row(4.5), row(5, new=1)], first=2))
    done = opened()
    assert done.land(batch([row(6, open=7)], first=5)) == Landed(rows=1)
    rows = rows_of(done)
    assert rows["open"].to_list() == ["true", "false", "maybe", None, "7"]
    assert rows["number"].to_list() == [1.0, 2.0, 3.0, 4.5, 6.0]
    assert done.poison.scan().collect()["reason"].to_list() == ["field new is new, which on_change refuses"]


def test_each_message_stays_where_it_is_though_it_is_decided_otherwise_after_an_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy was changed between two deaths, or a schema registered: nothing is in both tables, and nothing lost."""
    calls = iter(range(1, 100))

    def dying(_name: str) -> None:
        if next(calls) == 3:  # after the poison, before the rows
            raise KilledError

    def opened(policy: str) -> Landing:
        changed = ChangePolicy(OnChange(added=policy))  # type: ignore[arg-type]
        return Landing(tmp_path / "t", lambda present: JsonDecoder(present, changed))

    opened("refuse").land(batch([row(1, known=1)]))
    sent = [row(2, known=2), row(3, new=3), row(4, known=4)]
    monkeypatch.setattr(landed_module, "boundary", dying)
    with pytest.raises(KilledError):
        opened("refuse").land(batch(sent, first=1))
    # What was poison would be a row by now; what would have been a row is poison.
    made = Landing(tmp_path / "t", Otherwise)
    assert (made.poison.positions(), made.rows.positions()) == ({0: 3}, {0: 0})
    assert made.land(batch([*sent, row(5)], first=1)) == Landed(rows=2, poison=1)
    assert rows_of(made)["stream_position"].to_list() == [0, 3, 4]
    assert made.poison.scan().collect()["stream_position"].sort().to_list() == [1, 2]
    assert made.poison.positions() == {0: 3}
    assert made.land(batch([*sent, row(5)], first=1)) == Landed(repeated=4)


class Otherwise(JsonDecoder):
    """Takes new fields, and refuses the first message of the batch."""

    def decode(self, payloads: Sequence[bytes]) -> Decoded:
        found = super().decode(payloads)
        if payloads and payloads[0] == row(2, known=2):
            return Decoded(rows=found.rows[1:], places=found.places[1:], rejected={0: "no more"})
        return found
