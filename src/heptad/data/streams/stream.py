"""The contract of a stream: messages of one topic in the order of their positions, read from wherever one left off."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from heptad.core import catalogue
from heptad.core.errors import DataError
from heptad.data.sources.applying import refuse_unused
from heptad.data.sources.settings import SourceSettings
from heptad.data.streams.addresses import StreamAddress, parse_address

BATCH_BYTES = 64 << 20
"""A batch ends where its payloads are so many bytes."""
RECENT_MARKS = 20_000
"""Of brokers without positions: so many messages at most are under way unacknowledged, and so may come again."""


class Batch(msgspec.Struct, kw_only=True):
    """Messages in the order in which the broker gave them; its lists are equally long."""

    payloads: list[bytes] = []
    """As they were sent; empty bytes for a message without any."""
    keys: list[str | None] = []
    """Kafka's key, the subject of NATS, the topic of MQTT."""
    times: list[int] = []
    """When the broker or the producer says that it was sent, in milliseconds since 1970; else when it came."""
    partitions: list[int] = []
    """Counted from 0; all 0 where the broker has none."""
    positions: list[int] = []
    """The broker's number of the message within its partition, from 0 on. Empty: this broker has none."""
    marks: list[str] = []
    """Where there are no positions: what is equal where a message is delivered again, and hardly else. Of messages that
    may be `retained` it ends with `-` and a digest of key and payload."""
    again: list[bool] = []
    """Where there are no positions: whether the broker says that it delivers the message again."""
    retained: list[bool] = []
    """Whether the broker sends the message since it is the last of its key, to whoever subscribes anew. Empty: none."""

    def __len__(self) -> int:
        return len(self.payloads)

    def at(self, places: list[int]) -> "Batch":
        """The messages at these places."""
        chosen = {
            name: [values[place] for place in places] if values else []
            for name, values in ((name, getattr(self, name)) for name in self.__struct_fields__)
        }
        return Batch(**chosen)


class Stream(Protocol):
    """One topic of a broker, made as `StreamType(address, settings, reader)`; see `heptad.testing`.

    `reader` names who reads, in letters, digits, `-` and `_`, for brokers that remember their readers. Where the broker
    numbers messages, `read` gives those of a partition in rising order, without a gap that is the stream's fault;
    where it does not, it gives every message at least once, those not acknowledged again after `start`. Errors:
    `UnavailableError` for a broker that is gone: the stream is closed then, and another one made; `DataError` for a
    topic that is not there, and for messages that are gone from the broker before they were read.
    Not promised: that two readers of one name may read at once.
    """

    def start(self, after: Mapping[int, int], *, accept_loss: bool = False) -> None:
        """Begin behind these positions of partitions; partitions that are not named are read from their beginning.

        `accept_loss`: go on with what is there where messages behind a position are gone. Called once, before `read`.
        """
        ...

    def read(self, most: int, seconds: float) -> Batch:
        """At most so many messages, or those that came in the time; none where none came."""
        ...

    def topic_id(self) -> str:
        """What the broker calls the topic by that one made anew under its name has not; empty where it does not say.

        Asked after `start`, before `read`, as `sent` is.
        """
        ...

    def sent(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        """When the messages at these positions of partitions were sent, as in `Batch`; without those that are gone.

        None where the broker has no positions, or `topic_id` tells as much. What is read next stays the same.
        """
        ...

    def waiting(self) -> int | None:
        """How many messages the broker has that were not read, about; `None` where it does not say."""
        ...

    def acknowledge(self) -> None:
        """Tell the broker that everything that was read is landed. Where that gets lost nothing is read twice."""
        ...

    def close(self) -> None:
        """Let go of the broker; what was not acknowledged may be read again."""
        ...


def open_stream(settings: SourceSettings, reader: str) -> Stream:
    """The stream at the settings' `uri`, by the scheme of the address.

    Raises `NotFoundError` for a scheme that nothing installed reads, `SettingsError` for a setting of other sources.
    """
    refuse_unused("stream", settings)
    address = parse_address(settings.uri)
    made: Stream = catalogue.find("stream", address.scheme)(address, settings, reader)
    return made


def made_anew(where: str, what: str) -> DataError:
    """The error for a topic in whose place another one has landed: its messages would be taken for the old ones."""
    return DataError(
        f"{where} counts its messages anew: {what}.",
        allowed="the topic that has landed so far",
        remedy="let producers write to a topic of another name, which lands from its beginning; or move the folder "
        "of what has landed away: .heptad/tables/stream-...",
    )


def lost_messages(address: StreamAddress, what: str, wanted: int, *, anew: bool = False) -> DataError:
    """The error for messages that the broker has no more.

    `anew`: its numbers end before those that have landed, so that new messages would be taken for old ones.
    """
    if anew:
        return made_anew(address.where, f"the next would have been {wanted}, and {what}")
    return DataError(
        f"Messages of {address.where} that had not landed are gone: the next would have been {wanted}, and {what}.",
        allowed="a broker that keeps messages until they have landed",
        remedy="to go on with those that are there: heptad data stream land --accept-loss",
    )
