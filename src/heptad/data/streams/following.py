"""Follows a stream into its table: reads, lands, acknowledges, and begins again where the broker was gone."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from blake3 import blake3

from heptad.core.errors import SettingsError, UnavailableError
from heptad.core.settings import duration
from heptad.core.workspace import FOLDER
from heptad.data.columns.column_types import Dates
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place
from heptad.data.streams.addresses import parse_address
from heptad.data.streams.avro import AvroDecoder, read_schema
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landing import Landing, MakeDecoder
from heptad.data.streams.locks import BUSY, LET_IT, changing_alone, landing_alone
from heptad.data.streams.policies import ChangePolicy
from heptad.data.streams.records import Landed
from heptad.data.streams.registered_avro import RegisteredAvroDecoder
from heptad.data.streams.registry import Schemas
from heptad.data.streams.sameness import check_same
from heptad.data.streams.stream import Stream, open_stream
from heptad.data.streams.times import OwnTimes
from heptad.data.streams.tls import placed

AT_ONCE = 50_000
"""The most messages of one commit; adapters also keep within `BATCH_BYTES`."""
PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a broker that was gone is asked again; each further pause is twice as long."""
QUIET = 2.0
"""Where a broker does not say what is waiting, nothing is when nothing came for so many seconds."""


class Until(msgspec.Struct, frozen=True, kw_only=True):
    """When to stop: by default when somebody sets `stop`."""

    now: bool = False
    """When everything has landed that was waiting at the beginning."""
    seconds: float | None = None
    """After so many; what was read by then still lands."""
    stop: threading.Event = msgspec.field(default_factory=threading.Event)


def follow(
    settings: SourceSettings,
    place: Place,
    until: Until,
    tell: Callable[[Landed], None] = lambda _: None,
    *,
    accept_loss: bool = False,
) -> Landed:
    """Land a stream until it is time to stop; `tell` hears what became of each batch, once it is on the disk.

    It also hears where nothing came, every `commit_every`, and before each pause where the broker is gone.

    Raises `LandsElsewhereError` where another process lands the same stream, `UnavailableError` where one is busy with
    its tables, or the broker stays away longer than `retries` attempts, `DataError` where messages are gone from it
    that had not landed, unless `accept_loss`.
    """
    folder = landed_folder(settings, place)
    ends = time.monotonic() + until.seconds if until.seconds is not None else float("inf")
    total, failed = Landed(), 0
    with landing_alone(folder, parse_address(settings.uri).where, min(BUSY, ends - time.monotonic())):
        while True:
            try:
                landing = open_landing(settings, place)
                with closing(open_stream(placed(settings, place.root), f"heptad-{landing.rows.id}")) as stream:
                    _start(stream, landing, settings, accept_loss=accept_loss)
                    for landed in _batches(stream, landing, settings, until, ends):
                        total, failed = total + landed, failed if landed == Landed() else 0
                        tell(landed)
            except UnavailableError:
                failed += 1
                pause = min(PAUSE * 2 ** (failed - 1), LONGEST_PAUSE)
                if failed > settings.retries or time.monotonic() + pause > ends:
                    raise
                tell(Landed())
                if not until.stop.wait(pause):
                    continue
            return total


def waiting_in(settings: SourceSettings, place: Place) -> int | None:
    """About how many messages have not landed yet; nothing is read. Raises as `follow` does, without trying again."""
    folder = landed_folder(settings, place)
    with changing_alone(folder, parse_address(settings.uri).where, LET_IT, seconds=0.0):
        landing = open_landing(settings, place)
        with closing(open_stream(placed(settings, place.root), f"heptad-{landing.rows.id}")) as stream:
            _start(stream, landing, settings)
            return stream.waiting()


def _start(stream: Stream, landing: Landing, settings: SourceSettings, *, accept_loss: bool = False) -> None:
    stream.start(landing.rows.positions(), accept_loss=accept_loss)
    landing.topic_id = check_same(stream, parse_address(settings.uri).where, landing.rows)


def _batches(stream: Stream, landing: Landing, settings: SourceSettings, until: Until, ends: float) -> Iterator[Landed]:
    every = duration(settings.commit_every).total_seconds()
    left = stream.waiting() if until.now else None
    counted = left is not None
    while not until.stop.is_set() and (now := time.monotonic()) < ends:
        if counted and not left:
            return
        most = min(AT_ONCE, left) if left else AT_ONCE
        pause = max(every, QUIET) if until.now and not counted else every
        batch = stream.read(most, min(pause, ends - now))
        if len(batch):
            landed = landing.land(batch)
            stream.acknowledge()
            yield landed
            left = max(0, left - len(batch)) if left is not None else None
        elif until.now:
            left = min(left or 0, stream.waiting() or 0)
            counted = True
        else:
            yield Landed()


def open_landing(settings: SourceSettings, place: Place) -> Landing:
    """The tables that a stream lands in, made where they are not there yet."""
    folder = landed_folder(settings, place)
    style = Dates(timezone=place.timezone, format=settings.dates)
    times = OwnTimes(folder, settings.time, style) if settings.time else None
    return Landing(folder, _decoder(settings, place, folder), settings.id, settings.id_window, times)


def _decoder(settings: SourceSettings, place: Place, folder: Path) -> MakeDecoder:
    policy = ChangePolicy(settings.on_change)
    if settings.registry and settings.format != "avro":
        raise SettingsError("[sources.NAME] registry is a setting of messages in Avro.", allowed='format = "avro"')
    if settings.format in {"", "json", "jsonl"}:
        return lambda present: JsonDecoder(present, policy)
    if settings.format != "avro":
        raise SettingsError(
            f"[sources.NAME] format = {settings.format!r} is no format of messages.", allowed="json, avro"
        )
    if not settings.registry:
        schema = read_schema(settings, place.root)
        return lambda present: AvroDecoder(present, schema, settings.schema_id, policy)
    if settings.schema or settings.schema_id is not None:
        raise SettingsError(
            "[sources.NAME] has a registry and a schema, and messages are read by one of them.",
            allowed="registry, which knows the schema of each message, or schema, a file for all",
        )
    schemas = Schemas(folder, settings)
    return lambda present: RegisteredAvroDecoder(present, schemas, policy)


def landed_folder(settings: SourceSettings, place: Place) -> Path:
    """Where a stream lands: named by its topic, and told apart by broker and topic."""
    address = parse_address(settings.uri)
    name = re.sub(r"[^a-z0-9]+", "-", address.topic.lower()).strip("-")[:60]
    digest = blake3(address.where.encode()).hexdigest()[:8]
    return place.root / FOLDER / "tables" / f"stream-{name}-{digest}"
