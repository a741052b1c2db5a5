"""A topic that was made anew is told from the one that landed, also where it has as many messages by now."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.data import Batch
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landing import Landing
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.sameness import check_same, marks_of

SENT = 1_700_000_000_123
WHERE = "kafka://host/orders"


class Topic:
    """What a stream says of its topic."""

    def __init__(self, topic_id: str = "", sent: Mapping[int, int] | None = None) -> None:
        self._id, self._sent = topic_id, sent or {}

    def topic_id(self) -> str:
        return self._id

    def sent(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        return {partition: self._sent[position] for partition, position in positions.items() if position in self._sent}

    def start(self, after: Mapping[int, int], *, accept_loss: bool = False) -> None: ...
    def read(self, most: int, seconds: float) -> Batch:
        return Batch()

    def waiting(self) -> None: ...
    def acknowledge(self) -> None: ...
    def close(self) -> None: ...


def landed(folder: Path, topic_id: str, *positions: int) -> Landing:
    """With one message sent each millisecond from `SENT` on."""
    made = Landing(folder / "t", lambda present: JsonDecoder(present, ChangePolicy()))
    made.topic_id = topic_id
    made.land(batch(*positions))
    return Landing(folder / "t", lambda present: JsonDecoder(present, ChangePolicy()))


def batch(*positions: int, marks: Sequence[str] = ()) -> Batch:
    count = len(positions)
    return Batch(
        payloads=[b'{"a": 1}'] * count,
        keys=[None] * count,
        times=[SENT + one for one in positions],
        partitions=[0] * count,
        positions=list(positions),
        marks=list(marks),
    )


def test_an_id_of_the_topic_decides(tmp_path: Path) -> None:
    """Whatever the messages say: those of the same topic may be gone, or have come again."""
    table = landed(tmp_path, "one", 0, 1, 2).rows
    assert check_same(Topic("one", {2: 7}), WHERE, table) == "one"
    with pytest.raises(DataError, match="counts its messages anew: the broker has another topic") as told:
        check_same(Topic("two", {2: SENT + 2}), WHERE, table)
    assert WHERE in told.value.problem
    assert "move the folder" in told.value.remedy


def test_without_an_id_the_last_message_decides_while_it_is_there(tmp_path: Path) -> None:
    """One that is gone proves nothing; so does one without a time."""
    table = landed(tmp_path, "", 0, 1, 2).rows
    assert check_same(Topic("", {2: SENT + 2}), WHERE, table) == ""
    assert check_same(Topic(), WHERE, table) == ""
    with pytest.raises(DataError, match=r"message 2 of partition 0 landed .*22:13:20.125 UTC.*was sent at 2023-11-14"):
        check_same(Topic("", {2: SENT + 5}), WHERE, table)


def test_a_broker_that_says_ids_by_now_is_asked_for_the_last_message_once(tmp_path: Path) -> None:
    """Then its id is kept with the next commit."""
    table = landed(tmp_path, "", 0, 1).rows
    with pytest.raises(DataError, match="counts its messages anew"):
        check_same(Topic("one", {1: SENT}), WHERE, table)
    assert check_same(Topic("one", {1: SENT + 1}), WHERE, table) == "one"
    later = landed(tmp_path, "one", 2).rows
    with pytest.raises(DataError, match="another topic"):
        check_same(Topic("two"), WHERE, later)


def test_messages_without_positions_or_times_leave_no_mark() -> None:
    """MQTT has no positions, and a producer of Kafka may have sent no times."""
    assert marks_of(batch(0, marks=["m"]), "") == {}
    assert marks_of(Batch(payloads=[b""], times=[0], partitions=[0], positions=[1]), "") == {}
    assert len(marks_of(batch(0), "one")) == 2
