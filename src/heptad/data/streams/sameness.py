"""Whether a topic is still the one that has landed, or was made anew under its name and has as many messages by now.

The broker's id of the topic tells it. Where there is none, the time of the message that landed last does, as long as
the broker has it. Both are kept as transactions of the Delta log, in the commit of the rows, as positions are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from blake3 import blake3

from heptad.data.streams.landed import LandedTable
from heptad.data.streams.stream import Batch, Stream, made_anew

_TOPIC = "heptad.stream.topic"
_SENT = "heptad.stream.{}.sent"


def marks_of(batch: Batch, topic_id: str) -> dict[str, int]:
    """What is kept with the commit of a batch, so that its topic is known again."""
    last = {} if batch.marks else dict(zip(batch.partitions, batch.times, strict=True))
    sent = {_SENT.format(partition): time for partition, time in last.items() if time > 0}
    return {_TOPIC: _number(topic_id), **sent} if topic_id else sent


def check_same(stream: Stream, where: str, landed: LandedTable) -> str:
    """The id of the topic of a stream that has started; empty where there is none.

    Nothing is said where nothing is known: of what landed before there were marks, and where the broker has neither an
    id nor the last message any more. Raises `DataError` for another topic than the one that landed.
    """
    topic_id, known = stream.topic_id(), landed.table.transaction_version(_TOPIC)
    if topic_id and known is not None:
        if known != _number(topic_id):
            raise made_anew(where, "the broker has another topic of this name than the one that landed")
        return topic_id
    positions, times = landed.positions(), _times(landed)
    found = stream.sent({one: position for one, position in positions.items() if one in times})
    for partition, time in sorted(found.items()):
        if time != times[partition]:
            raise made_anew(
                where,
                f"message {positions[partition]} of partition {partition} landed as one sent at "
                f"{_moment(times[partition])}, and the broker's was sent at {_moment(time)}",
            )
    return topic_id


def _times(landed: LandedTable) -> Mapping[int, int]:
    found = ((one, landed.table.transaction_version(_SENT.format(one))) for one in landed.positions())
    return {partition: time for partition, time in found if time is not None}


def _number(topic_id: str) -> int:
    """An id in the 63 bits that a transaction has."""
    return int.from_bytes(blake3(topic_id.encode()).digest(7))


def _moment(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
