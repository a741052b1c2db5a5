"""Topics of MQTT brokers as streams: a lasting session of MQTT 5, acknowledged when what came has landed."""

import logging
import queue
import ssl
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from heptad.core.errors import DataError, UnavailableError
from heptad.core.settings import duration
from heptad.data import (
    BATCH_BYTES,
    RECENT_MARKS,
    Batch,
    SourceSettings,
    Stream,
    StreamAddress,
    lost_messages,
    tls_of,
    untrusted,
    without_secrets,
)

PORT, TLS_PORT = 1883, 8883
SESSION_SECONDS = 7 * 24 * 3600
"""How long the broker is asked to keep messages for this reader while he is away."""
_LEAST_PAUSE = 0.01
"""Seconds that are waited for one more message, before what has come is taken for all that there is."""

_log = logging.getLogger("heptad.mqtt")
_log.addHandler(logging.NullHandler())
_log.propagate = False  # a connection that is gone is an error of ours


class MqttStream:
    """`mqtt://host/topic`, or `mqtts://` encrypted; wildcards as MQTT has them: `plant/+/temperature`, `plant/#`.

    It subscribes with QoS 1: with 2, a message whose delivery was half done when this process died would be lost, since
    the other half of what QoS 2 promises is kept in the client's memory. A message that the broker delivers again, not
    knowing that it has landed, has the same packet id as before, says the standard; that and its content are the mark.
    A message is marked as retained where it comes since this reader subscribed, and not since it was just published.
    """

    def __init__(self, address: StreamAddress, settings: SourceSettings, reader: str) -> None:
        self._address = address
        self._timeout = duration(settings.timeout).total_seconds()
        self._arrived: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
        self._connected: queue.SimpleQueue[tuple[bool, ReasonCode]] = queue.SimpleQueue()
        self._subscribed: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._unacknowledged: list[tuple[int, int]] = []
        self._gone = ""
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=reader,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._client.enable_logger(_log)
        tls = tls_of(address.scheme, settings)
        self._port = PORT if tls is None else TLS_PORT
        if tls is not None:
            self._client.tls_set_context(tls)
        if address.user:
            self._client.username_pw_set(address.user, address.password or None)
        self._client.on_message = lambda _client, _data, message: self._arrived.put(message)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda _c, _d, _mid, codes, _props: self._subscribed.put(codes[0])

    def start(self, after: Mapping[int, int], *, accept_loss: bool = False) -> None:
        remembered = self._connect(SESSION_SECONDS)
        if after and not remembered and not accept_loss:
            # The session that was begun just now would look like the old one next time.
            self._end_session()
            raise lost_messages(self._address, "the broker has forgotten this reader's session", after[0] + 1)
        # With 1, messages that the broker retains are sent with a new subscription, and not each time.
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        self._client.subscribe(self._address.topic, options=options)
        answer = self._answer(self._subscribed)
        if answer.is_failure:
            raise DataError(
                f"{self._address.where} refuses the subscription: {answer}.", allowed="a topic that this user may read"
            )

    def read(self, most: int, seconds: float) -> Batch:
        batch, size, ends = Batch(), 0, time.monotonic() + seconds
        most = min(most, RECENT_MARKS)
        while len(batch) < most and size < BATCH_BYTES:
            try:
                message = self._arrived.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                break
            size += len(message.payload)
            self._unacknowledged.append((message.mid, message.qos))
            batch.payloads.append(bytes(message.payload))
            batch.keys.append(message.topic)
            batch.times.append(int(time.time() * 1000))
            batch.partitions.append(0)
            digest = blake2b(message.topic.encode() + b"\0" + message.payload, digest_size=12).hexdigest()
            batch.marks.append(f"{message.mid}-{digest}")
            batch.again.append(message.dup)
            batch.retained.append(message.retain)
        if self._gone and not len(batch):
            raise self._unavailable(self._gone)
        return batch

    def topic_id(self) -> str:
        return ""

    def sent(self, positions: Mapping[int, int]) -> Mapping[int, int]:  # noqa: ARG002 - it has no positions
        return {}

    def waiting(self) -> None:
        return None

    def acknowledge(self) -> None:
        for mid, qos in self._unacknowledged:
            self._client.ack(mid, qos)
        self._unacknowledged.clear()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self, session_seconds: int) -> bool:
        """Whether the broker remembers the session."""
        wanted = _properties(PacketTypes.CONNECT, SessionExpiryInterval=session_seconds, ReceiveMaximum=RECENT_MARKS)
        (host, port), *_ = self._address.servers(self._port)
        try:
            self._client.connect_timeout = self._timeout
            self._client.connect(host, port, clean_start=False, properties=wanted)
        except ssl.SSLCertVerificationError as error:
            raise untrusted(self._address.where, error) from None
        except OSError as error:
            raise self._unavailable(str(error)) from None
        self._client.loop_start()
        remembered, answer = self._answer(self._connected)
        if answer.is_failure:
            raise DataError(f"{self._address.where} refuses this reader: {answer}.", allowed="a user who may read it")
        return bool(remembered)

    def _end_session(self) -> None:
        self._client.disconnect(properties=_properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0))

    def _answer(self, answers: "queue.SimpleQueue[Any]") -> Any:
        try:
            return answers.get(timeout=self._timeout)
        except queue.Empty:
            raise self._unavailable("it did not answer in time") from None

    def _on_connect(self, _client: Any, _data: Any, flags: Any, answer: ReasonCode, _properties: Any) -> None:
        self._connected.put((flags.session_present, answer))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._gone = str(reason)

    def _unavailable(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self._address.where} does not answer: {without_secrets(why, self._address.secrets)}.",
            remedy="look whether the broker runs, and is reached from here",
        )


def _properties(packet: int, **values: int) -> Properties:
    """What a packet says besides, as MQTT 5 has it."""
    made = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it without types
    for name, value in values.items():
        setattr(made, name, value)
    return made


if TYPE_CHECKING:
    _: type[Stream] = MqttStream
