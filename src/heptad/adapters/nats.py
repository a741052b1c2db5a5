"""Subjects of NATS JetStream as streams, read through a durable pull consumer."""

import asyncio
import json
import queue
import ssl
import threading
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StreamInfo
from nats.js.client import JetStreamContext
from nats.js.errors import APIError
from nats.js.errors import NotFoundError as NoSuchThingError

from heptad.core.errors import DataError, UnavailableError, nearest
from heptad.core.settings import duration
from heptad.data import (
    BATCH_BYTES,
    Batch,
    SourceSettings,
    Stream,
    StreamAddress,
    lost_messages,
    tls_of,
    untrusted,
    without_secrets,
)

PORT = 4222
AT_ONCE, BYTES_AT_ONCE = 10_000, 32 << 20
"""So much is asked for at a time: the client drops what it cannot hold."""
ACKNOWLEDGED_WITHIN = 60.0
"""Seconds after which the broker sends again what was not acknowledged."""
_FINAL = ("violation", "does not encrypt")
"""What is said of a server for which trying again is no use."""
_Made = TypeVar("_Made")


class _EncryptedClient(Client):
    """A client that says nothing, and no password, to a server which does not encrypt.

    What the server says of itself before comes in plain text, so whoever stands in between could say it too.
    """

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and not info.get("tls_required"):
            raise NatsError("nats: the server does not encrypt, which nats+tls:// asks for")
        await super()._process_info(info, initial_connection)


class NatsStream:
    """`nats://host/subject`, or `nats+tls://` encrypted; wildcards as NATS has them: `orders.>`, `orders.*.paid`.

    The position is the number of the message in its JetStream stream. The consumer is made anew at each start, behind
    what has landed, so what an earlier reader was given and did not finish comes at once. Messages have to come in
    order and without a gap; where they do not, since one got lost on the way and is sent again later, reading starts
    anew: a later one may have landed, and this one would count as landed with it.
    """

    def __init__(self, address: StreamAddress, settings: SourceSettings, reader: str) -> None:
        self._address = address
        self._reader = reader
        self._timeout = duration(settings.timeout).total_seconds()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="heptad-nats", daemon=True)
        self._thread.start()
        self._tls = tls_of(address.scheme, settings)
        self._client = Client() if self._tls is None else _EncryptedClient()
        self._untrusted: ssl.SSLCertVerificationError | None = None
        self._arrived: queue.SimpleQueue[Msg | None] = queue.SimpleQueue()
        self._asked = 0
        self._read = 0
        self._unacknowledged: list[str] = []
        self._gone = ""
        self._made_at = ""

    def start(self, after: Mapping[int, int], *, accept_loss: bool = False) -> None:
        self._do(self._start(after.get(0), accept_loss=accept_loss))

    def read(self, most: int, seconds: float) -> Batch:
        batch, size, ends = Batch(), 0, time.monotonic() + seconds
        while len(batch) < most and size < BATCH_BYTES and (left := ends - time.monotonic()) > 0:
            if not self._asked:
                self._asked = min(AT_ONCE, most - len(batch))
                self._do(self._ask(self._asked, left))
            try:
                message = self._arrived.get(timeout=left)
            except queue.Empty:
                break
            if message is None:
                if not len(batch):
                    raise self._unavailable(self._gone)
                self._arrived.put(None)
                break
            size += self._take(message, batch)
        return batch

    def topic_id(self) -> str:
        return self._made_at

    def sent(self, positions: Mapping[int, int]) -> Mapping[int, int]:  # noqa: ARG002 - its id tells
        return {}

    def waiting(self) -> int:
        found = self._do(self._jetstream.consumer_info(self._stream, self._reader))
        delivered = found.delivered.consumer_seq if found.delivered else 0
        return int(found.num_pending or 0) + delivered - self._read

    def acknowledge(self) -> None:
        self._do(self._acknowledge())

    def close(self) -> None:
        with suppress(UnavailableError, DataError):
            # A connection that failed while it was being encrypted is never told that it is closed.
            self._do(self._client.close(), 3 * self._timeout if self._client.is_connected else 0.5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _take(self, message: Msg, batch: Batch) -> int:
        """Adds a message to the batch; answers how many bytes it has."""
        if not message.reply:
            self._asked = 0  # the broker says that the request has ended
            return 0
        # $JS.ACK.[domain.account.]stream.consumer.deliveries.position.count.time.pending
        parts = message.reply.split(".")
        deliveries, position, count, sent = parts[4:8] if len(parts) == 9 else parts[6:10]
        self._read += 1
        self._asked -= 1
        if int(count) != self._read or deliveries != "1":
            raise self._unavailable(f"message {position} did not come in its turn")
        batch.payloads.append(message.data)
        batch.keys.append(message.subject)
        batch.times.append(int(sent) // 1_000_000)
        batch.partitions.append(0)
        batch.positions.append(int(position))
        self._unacknowledged.append(message.reply)
        return len(message.data)

    async def _start(self, landed: int | None, *, accept_loss: bool) -> None:
        await self._client.connect(
            servers=[f"{'tls' if self._tls else 'nats'}://{host}:{port}" for host, port in self._address.servers(PORT)],
            tls=self._tls,
            user=self._address.user if self._address.password else None,
            password=self._address.password or None,
            token=self._address.user if not self._address.password else None,
            allow_reconnect=False,
            # Else it tries to connect for ever, and leaves it to nobody to say so.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=max(1, int(self._timeout)),
            error_cb=self._hear,
            closed_cb=self._closed,
        )
        self._jetstream: JetStreamContext = self._client.jetstream(timeout=self._timeout)
        found = await self._found()
        self._made_at = f"{self._stream} {found.created.isoformat()}" if found.created else ""
        first = None if landed is None else self._next(found, landed, accept_loss=accept_loss)
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(self._inbox, cb=self._arrive)
        await self._make_consumer(found, first)

    async def _found(self) -> StreamInfo:
        """The JetStream stream that keeps the subject."""
        try:
            self._stream = await self._jetstream.find_stream_name_by_subject(self._address.topic)
        except NoSuchThingError:
            streams = await self._jetstream.streams_info()
            kept = sorted(subject for one in streams for subject in one.config.subjects or [])
            raise DataError(
                f"No JetStream stream keeps the subject {self._address.topic!r} at {self._address.where}.",
                allowed=nearest(self._address.topic, kept),
                remedy="make a stream with this subject: messages outside of one are kept nowhere",
            ) from None
        found = await self._jetstream.stream_info(self._stream)
        if found.config.retention == RetentionPolicy.INTEREST:
            raise DataError(
                f"The stream {self._stream} of {self._address.where} forgets messages that no consumer wants.",
                allowed="a stream with the retention limits, or workqueue",
                remedy="let a stream with the retention limits mirror it",
            )
        return found

    def _next(self, found: StreamInfo, landed: int, *, accept_loss: bool) -> int:
        """The position to begin at."""
        wanted, state = landed + 1, found.state
        alone = found.config.subjects == [self._address.topic] and found.config.retention == RetentionPolicy.LIMITS
        there = f"the stream {self._stream} has {state.first_seq} to {state.last_seq}"
        if wanted > state.last_seq + 1:
            raise lost_messages(self._address, there, wanted, anew=True)
        if alone and wanted < state.first_seq:
            if not accept_loss:
                raise lost_messages(self._address, there, wanted)
            return state.first_seq
        return wanted

    async def _make_consumer(self, found: StreamInfo, first: int | None) -> None:
        with suppress(NoSuchThingError):
            await self._jetstream.delete_consumer(self._stream, self._reader)
        # A queue of work gives everything that it still has, and wants each message acknowledged.
        self._each = found.config.retention == RetentionPolicy.WORK_QUEUE
        begin = first if first and not self._each else None
        wanted = ConsumerConfig(
            durable_name=self._reader,
            filter_subject=self._address.topic,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if begin else DeliverPolicy.ALL,
            opt_start_seq=begin,
            ack_policy=AckPolicy.EXPLICIT if self._each else AckPolicy.ALL,
            ack_wait=ACKNOWLEDGED_WITHIN,
            max_ack_pending=-1,
        )
        await self._jetstream.add_consumer(self._stream, wanted)

    async def _ask(self, messages: int, seconds: float) -> None:
        wanted = {"batch": messages, "max_bytes": BYTES_AT_ONCE, "expires": int(seconds * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._reader}"
        await self._client.publish(subject, json.dumps(wanted).encode(), reply=self._inbox)

    async def _acknowledge(self) -> None:
        for reply in self._unacknowledged if self._each else self._unacknowledged[-1:]:
            await self._client.publish(reply, b"+ACK")
        self._unacknowledged.clear()
        await self._client.flush()

    async def _arrive(self, message: Msg) -> None:
        self._arrived.put(message)

    async def _hear(self, error: Exception) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            self._untrusted = error
        self._gone = str(error) or type(error).__name__

    async def _closed(self) -> None:
        self._gone = self._gone or "the connection was closed"
        self._arrived.put(None)

    def _do(self, act: Coroutine[Any, Any, _Made], seconds: float = 0.0) -> _Made:
        """Does it in the thread of the client, and waits for it."""
        try:
            limited = asyncio.wait_for(act, seconds or 3 * self._timeout)
            return asyncio.run_coroutine_threadsafe(limited, self._loop).result()
        except APIError as error:
            raise self._refused(str(error)) from None
        except (NatsError, OSError, TimeoutError) as error:
            if self._untrusted:
                raise untrusted(self._address.where, self._untrusted) from None
            why = self._gone or str(error) or type(error).__name__
            # The client tries all servers, and then raises that none is left.
            raise (self._refused if any(one in why.lower() for one in _FINAL) else self._unavailable)(why) from None

    def _refused(self, why: str) -> DataError:
        told = without_secrets(why, self._address.secrets)
        return DataError(
            f"{self._address.where} refuses this reader: {told}.", allowed="what the server lets its user do"
        )

    def _unavailable(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self._address.where} does not answer: {without_secrets(why, self._address.secrets)}.",
            remedy="look whether the broker runs, and is reached from here",
        )


if TYPE_CHECKING:
    _: type[Stream] = NatsStream
