"""The promises of `Stream` as tests: subclass `StreamContract` and give it two fixtures."""

import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from heptad.data import Batch, Stream

Opened = Callable[[], Stream]
Send = Callable[[Sequence[bytes]], None]
PATIENCE = 60.0
"""Seconds that a busy machine may need."""


def received(stream: Stream, wanted: int) -> Batch:
    """So many messages, in as few batches as they come in."""
    whole, ends = Batch(), time.monotonic() + PATIENCE
    while len(whole) < wanted and time.monotonic() < ends:
        batch = stream.read(wanted - len(whole), 0.5)
        for name in batch.__struct_fields__:
            getattr(whole, name).extend(getattr(batch, name))
    return whole


class StreamContract:
    """Subclasses define `opened`, which makes a stream of one topic under one name, and `send`.

    `send` returns when the broker has the messages.
    """

    @pytest.fixture
    def opened(self) -> Opened:
        raise NotImplementedError

    @pytest.fixture
    def send(self) -> Send:
        raise NotImplementedError

    @pytest.fixture
    def stream(self, opened: Opened) -> Iterator[Stream]:
        """One that has begun and has read nothing yet."""
        made = opened()
        made.start({})
        yield made
        made.close()

    def test_what_was_sent_is_read_as_it_was(self, stream: Stream, send: Send) -> None:
        """Any bytes, empty ones too, each once, and something is told of each."""
        sent = [b'{"a": 1}', b"", b"\x00\xff\xfe", b"x" * 100_000, "π".encode()]
        send(sent)
        batch = received(stream, len(sent))
        assert sorted(batch.payloads) == sorted(sent)
        for name in ("keys", "times", "partitions"):
            assert len(getattr(batch, name)) == len(sent)
        assert all(type(payload) is bytes for payload in batch.payloads)
        assert min(batch.times) > 1_600_000_000_000

    def test_messages_of_a_partition_come_in_order(self, stream: Stream, send: Send) -> None:
        """Positions rise, in the order in which messages were sent; or, without positions, each has a mark."""
        send([b"%d" % number for number in range(300)])
        batch = received(stream, 300)
        for partition in set(batch.partitions):
            places = [place for place in range(300) if batch.partitions[place] == partition]
            numbers = [int(batch.payloads[place]) for place in places]
            assert numbers == sorted(numbers)
            if batch.positions:
                positions = [batch.positions[place] for place in places]
                assert positions == sorted(set(positions))
        if not batch.positions:
            assert len(set(batch.marks)) == 300
            assert batch.again == [False] * 300

    def test_no_more_are_read_than_asked_for(self, stream: Stream, send: Send) -> None:
        """The rest comes with the next batch."""
        send([b"%d" % number for number in range(10)])
        first = received(stream, 4)
        assert len(first) == 4
        assert sorted(map(int, [*first.payloads, *received(stream, 6).payloads])) == list(range(10))

    def test_nothing_comes_where_nothing_was_sent(self, stream: Stream) -> None:
        """And nothing waits, where the broker says so."""
        assert len(stream.read(10, 0.1)) == 0
        assert stream.waiting() in {0, None}

    def test_what_waits_is_counted(self, stream: Stream, send: Send) -> None:
        """Where the broker says so, and until it is read."""
        send([b"1", b"2", b"3"])
        if stream.waiting() is not None:
            assert stream.waiting() == 3
            received(stream, 3)
            assert stream.waiting() == 0

    def test_what_was_not_acknowledged_comes_again(self, opened: Opened, send: Send) -> None:
        """To whoever begins behind the positions that have landed; without positions it is marked, and equally."""
        first = opened()
        first.start({})
        send([b"1", b"2", b"3"])
        landed = received(first, 3)
        first.acknowledge()
        send([b"4", b"5"])
        lost = received(first, 2)
        first.close()
        second = opened()
        second.start(dict(zip(landed.partitions, landed.positions or [0] * 3, strict=True)))
        again = received(second, 2)
        assert sorted(again.payloads) == [b"4", b"5"]
        if not again.positions:
            assert again.again == [True, True]
            assert sorted(again.marks) == sorted(lost.marks)
        second.close()

    def test_what_its_topic_is_known_by_stays_the_same(self, opened: Opened, send: Send) -> None:
        """Whoever reads, its id is one, and each message was sent when it was."""
        first = opened()
        first.start({})
        send([b"1", b"2", b"3"])
        landed = received(first, 3)
        known = first.topic_id()
        first.close()
        reached = dict(zip(landed.partitions, landed.positions, strict=True)) if landed.positions else {0: 2}
        times = dict(zip(landed.partitions, landed.times, strict=True))
        second = opened()
        second.start(reached, accept_loss=True)
        assert second.topic_id() == known
        found = second.sent(reached)
        assert found in ({}, times)
        assert len(second.read(10, 0.5)) == 0 or not landed.positions
        second.close()
