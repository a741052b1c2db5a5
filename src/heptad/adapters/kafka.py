"""Topics of Kafka, and of what speaks its protocol, as streams."""

import logging
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from heptad.core.errors import DataError, HeptadError, SettingsError, UnavailableError, nearest
from heptad.core.settings import duration
from heptad.data import (
    BATCH_BYTES,
    Batch,
    SourceSettings,
    Stream,
    StreamAddress,
    lost_messages,
    reveal_all,
    without_secrets,
)

PORT = 9092
AT_ONCE = 2_000
"""So many messages are asked for at a time, so that few large ones do not fill the memory."""
LOOK_AGAIN = 60.0
"""Seconds after which partitions are looked for that were added to the topic."""
CLOSE_SECONDS = 15.0
"""How long the broker is taken leave of: librdkafka hangs in it at times (its issues 1376 and 4884)."""
_OURS = {
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
}
"""What exactly once rests on: positions are those in the table, and what is gone is told."""
_REFUSED = {*_OURS, "bootstrap.servers", "group.id", "plugin.library.paths", "isolation.level"}
_NOT_THERE = {"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"}
_REFUSALS = {
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "SASL_AUTHENTICATION_FAILED",
    "_AUTHENTICATION",
}
"""Errors go by their names, as librdkafka has them."""
_FINAL = [*sorted(_REFUSALS), "_ALL_BROKERS_DOWN"]
"""What there is no need to wait after, before the first answer."""

_told_log = logging.getLogger("heptad.data")
_log = logging.getLogger("heptad.kafka")
_log.addHandler(logging.NullHandler())
_log.propagate = False  # librdkafka tells of every attempt; what comes of them is an error of ours


class KafkaStream:
    """`kafka://host:9092,host:9092/topic`; a user and password in the address mean SASL with TLS.

    `options` are those of librdkafka. Messages of aborted transactions are left out by the broker. Offsets are
    committed to the group `reader` for those who watch its lag; what is read depends on the table alone.
    """

    def __init__(self, address: StreamAddress, settings: SourceSettings, reader: str) -> None:
        self._address = address
        self._timeout = duration(settings.timeout).total_seconds()
        options = reveal_all(settings.options, "options")
        wrong = sorted(_REFUSED & options.keys())
        if wrong:
            raise SettingsError(
                f"[sources.NAME] options.{wrong[0]!r} is set by Heptad.", allowed="other options of librdkafka"
            )
        self._secrets = [*address.secrets, *(options[name] for name, given in settings.options.items() if "$" in given)]
        servers = ",".join(f"{host}:{port}" for host, port in address.servers(PORT))
        config: dict[str, Any] = {"bootstrap.servers": servers, "group.id": reader, "fetch.wait.max.ms": 100}
        if address.user:
            config |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}
            config |= {"sasl.username": address.user, "sasl.password": address.password}
        self._heard: dict[str, KafkaError] = {}
        self._config = {**config, **options}
        with self._told():
            self._consumer = Consumer({**self._config, **_OURS, "error_cb": self._hear}, logger=_log)
        self._next: dict[int, int] = {}
        self._ended: set[int] = set()
        self._looked = 0.0

    def start(self, after: Mapping[int, int], *, accept_loss: bool = False) -> None:
        self._wait_for_broker()
        partitions = self._partitions()
        for partition in sorted({*partitions, *after}):
            wanted = after.get(partition, -1) + 1
            first, end = self._limits(partition) if partition in partitions else (0, 0)
            there = f"partition {partition} " + (f"has {first} to {end - 1}" if end > first else "is empty")
            if wanted > end:
                raise lost_messages(self._address, there, wanted, anew=True)
            if wanted < first and partition in after and not accept_loss:
                raise lost_messages(self._address, there, wanted)
            self._next[partition] = max(first, wanted)
        self._assign(self._next)

    def read(self, most: int, seconds: float) -> Batch:
        batch, size, ends = Batch(), 0, time.monotonic() + seconds
        while len(batch) < most and size < BATCH_BYTES and (left := ends - time.monotonic()) > 0:
            with self._told():
                messages = self._consumer.consume(min(AT_ONCE, most - len(batch)), left)
            size += self._take(messages, batch)
            if len(self._ended) == len(self._next) and len(batch) and not messages:
                break
        if not len(batch):
            self._check()
        return batch

    def topic_id(self) -> str:
        with self._told():
            cluster = self._consumer.list_topics(self._address.topic, timeout=self._timeout)
            if cluster.controller_id not in cluster.brokers:
                return ""  # nobody is there whom librdkafka would ask
            asked = TopicCollection([self._address.topic])
            admin: Any = AdminClient(self._config, logger=_log)
            answer = admin.describe_topics(asked, request_timeout=self._timeout)[self._address.topic]
        try:
            found = answer.result().topic_id
        except KafkaException as error:
            # What lands does not depend on it: the message that landed last is looked at instead.
            _told_log.warning("%s does not say the id of its topic: %s", self._address.where, error.args[0].str())
            return ""
        # Brokers before 2.8, and some that only speak the protocol, say zero.
        return str(found) if found.get_most_significant_bits() or found.get_least_significant_bits() else ""

    def sent(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        found: dict[int, int] = {}
        with self._told():
            for partition, offset in positions.items():
                first, end = self._limits(partition)
                if first <= offset < end:
                    self._assign({partition: offset})
                    for message in self._consumer.consume(1, self._timeout):
                        if message.error() is None and message.offset() == offset:
                            found[partition] = message.timestamp()[1]
            self._assign(self._next)
        return found

    def _assign(self, offsets: Mapping[int, int]) -> None:
        with self._told():
            self._consumer.assign([self._place(*one) for one in offsets.items()])

    def waiting(self) -> int:
        if self._next and len(self._ended) == len(self._next):
            return 0
        return sum(max(0, self._limits(one)[1] - position) for one, position in self._next.items())

    def acknowledge(self) -> None:
        with self._told():
            self._consumer.commit(offsets=[self._place(*one) for one in self._next.items()], asynchronous=True)

    def close(self) -> None:
        # A thread that hangs does not keep the process: it ends with it, as those of librdkafka do.
        leaving = threading.Thread(target=self._leave, name="kafka-close", daemon=True)
        leaving.start()
        leaving.join(CLOSE_SECONDS)
        if leaving.is_alive():
            _told_log.warning(
                "%s did not let go within %.0f s and is left as it is", self._address.where, CLOSE_SECONDS
            )

    def _leave(self) -> None:
        with suppress(KafkaException):  # what was not acknowledged is known by the table
            self._consumer.close()

    def _take(self, messages: list[Message], batch: Batch) -> int:
        """Adds messages to the batch; answers how many bytes they are."""
        size = 0
        for message in messages:
            error = message.error()
            if error is not None:
                self._refuse(error, message.partition())
                continue
            partition, offset = message.partition(), message.offset()
            if partition is None or offset is None:
                continue  # not a message of the topic
            payload, key = message.value() or b"", message.key()
            batch.payloads.append(payload)
            batch.keys.append(None if key is None else key.decode(errors="replace"))
            batch.times.append(max(message.timestamp()[1], 0))
            batch.partitions.append(partition)
            batch.positions.append(offset)
            self._next[partition] = offset + 1
            self._ended.discard(partition)
            size += len(payload)
        return size

    def _refuse(self, error: KafkaError, partition: int | None) -> None:
        """Raises what an error between messages means; the end of a partition is none."""
        if error.name() == "_PARTITION_EOF" and partition is not None:
            self._ended.add(partition)
        elif error.name() == "_AUTO_OFFSET_RESET":
            raise lost_messages(self._address, error.str(), self._next.get(partition or 0, 0))
        elif error.fatal() or not error.retriable():
            raise self._error(error)

    def _check(self) -> None:
        """Nothing came, and brokers did not answer: whether one does now, and partitions that are new."""
        now = time.monotonic()
        if not self._heard and now - self._looked < LOOK_AGAIN:
            return
        found = self._partitions()
        self._heard.clear()
        added = [one for one in found if one not in self._next]
        if added:
            self._next |= dict.fromkeys(added, 0)
            with self._told():
                self._consumer.incremental_assign([self._place(one, 0) for one in added])

    def _wait_for_broker(self) -> None:
        """Returns when one answers; where all refuse at once, there is no need to wait for the whole time."""
        ends = time.monotonic() + self._timeout
        while True:
            left = ends - time.monotonic()
            try:
                self._consumer.list_topics(self._address.topic, timeout=max(0.1, min(1.0, left)))
            except KafkaException as error:
                self._consumer.poll(0)  # it has no messages yet, and hears what librdkafka says
                final = next((self._heard[one] for one in _FINAL if one in self._heard), None)
                if final is not None or left <= 0:
                    raise self._error(final or error.args[0]) from None
            else:
                return

    def _partitions(self) -> list[int]:
        """Those that the topic has now."""
        self._looked = time.monotonic()
        with self._told():
            topics = self._consumer.list_topics(self._address.topic, timeout=self._timeout).topics
        found = topics[self._address.topic]
        if found.error is not None and found.error.name() in _NOT_THERE:
            with self._told():
                known = sorted(self._consumer.list_topics(timeout=self._timeout).topics)
            raise DataError(
                f"There is no topic {self._address.topic!r} at {self._address.where}.",
                allowed=nearest(self._address.topic, [one for one in known if not one.startswith("__")]),
            )
        if found.error is not None:
            raise self._error(found.error)
        return sorted(found.partitions)

    def _limits(self, partition: int) -> tuple[int, int]:
        """The first offset that the broker has, and the one that the next message will get."""
        with self._told():
            limits = self._consumer.get_watermark_offsets(self._place(partition), timeout=self._timeout)
        if limits is None:
            raise self._gone("it did not answer in time")
        return limits

    def _place(self, partition: int, offset: int = OFFSET_BEGINNING) -> TopicPartition:
        return TopicPartition(self._address.topic, partition, offset)

    def _hear(self, error: KafkaError) -> None:
        """What librdkafka says beside messages; it goes on trying by itself."""
        self._heard[error.name()] = error

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except KafkaException as error:
            raise self._error(error.args[0]) from None  # it may hold options

    def _error(self, error: KafkaError) -> HeptadError:
        why = without_secrets(error.str(), self._secrets)
        if error.name() in _REFUSALS:
            return DataError(f"{self._address.where} refuses this reader: {why}.", allowed="a user who may read it")
        if error.name() == "_INVALID_ARG":
            return SettingsError(f"[sources.NAME] options: {why}.", allowed="options of librdkafka")
        return self._gone(why)

    def _gone(self, why: str) -> UnavailableError:
        heard = self._heard.get("_TRANSPORT") or next(iter(self._heard.values()), None)
        told = without_secrets(heard.str(), self._secrets) if heard else why
        return UnavailableError(
            f"{self._address.where} does not answer: {told}.",
            remedy="look whether the broker runs, and is reached from here",
        )


if TYPE_CHECKING:
    _: type[Stream] = KafkaStream
