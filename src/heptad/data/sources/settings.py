"""The section `[sources]` of heptad.toml."""

import codecs
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.core.settings import Count, Duration, OptionalDuration, Positive, Settings, Span


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name or "utf-8")
    except LookupError as error:
        raise InputError(f"there is no encoding {name!r}.", allowed="utf-8, windows-1252, utf-16, ...") from error


Encoding: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_encoding})]
Character: TypeAlias = Annotated[str, msgspec.Meta(max_length=1, description="one character, or empty")]


PositiveFloat: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Retries: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=20)]


class SourceSettings(Settings, frozen=True, kw_only=True):
    """`[sources.NAME]`: where rows come from."""

    uri: str
    """A path or glob relative to the project, or an address: `s3://BUCKET/KEY`, `https://HOST/FILE`,
    `kafka://HOST:PORT/TOPIC`, ..."""
    time: str = ""
    """The column that says when a row happened; rows are collected up to a moment by it."""
    format: Literal["", "csv", "jsonl", "json", "parquet", "arrow", "avro", "excel"] = ""
    """Empty: by the file's name and content."""
    sheet: str = ""
    """The sheet of a book of Excel or OpenDocument; `book.xlsx!Sheet` in `uri` says the same."""
    unpacked_gb: PositiveFloat = 50.0
    """The most that a compressed file or a member of an archive may hold, in GB of 10^9 bytes."""
    endpoint: str = ""
    """The address of an object store that is not the provider's own, such as `http://127.0.0.1:9000`."""
    options: dict[str, str] = {}
    """Options of an object store, such as `region`, or of librdkafka, such as `"security.protocol"`; keys and tokens as
    `${NAME}`, or from the environment."""
    headers: dict[str, str] = {}
    """Headers of requests over HTTP, such as `Authorization = "Bearer ${TOKEN}"`."""
    timeout: Span = "30s"
    """How long a server may take to connect, and to send the next bytes."""
    retries: Retries = 4
    """How often a server that is not there, or that fails, is asked again, with growing pauses."""
    separator: Character = ""
    """CSV only; empty: detected."""
    quote: Character | None = None
    """CSV only; not set: detected, empty text: quotes are ordinary characters."""
    encoding: Encoding = ""
    """Empty: detected, which is reported."""
    header: bool | None = None
    """CSV only; not set: detected."""
    nulls: tuple[str, ...] = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "?")
    """Texts that mean missing."""
    dates: str = ""
    """How times are written, as in `%d.%m.%Y %H:%M`; empty: detected, which is reported."""
    columns: list[str] = []
    """Names of the columns, for a file without a header."""
    table: str = ""
    """Databases: the table or view to read, as `name` or `schema.name`."""
    query: str = ""
    """Databases: a SELECT to read instead of a table."""
    cursor: str = ""
    """Databases: a column that only grows, such as an id or `updated_at`; later collections read rows from its greatest
    value on. Empty: all rows are read again."""
    key: list[str] = []
    """Databases with a cursor: the columns by which a row that is read again replaces the one before. Empty: the
    primary key of the table."""
    refresh: OptionalDuration = ""
    """Databases: how long what was read counts as new, also for other commands. Empty: a minute, for one command."""
    read_timeout: Span = "1h"
    """Databases: how long reading may take in all."""
    id: str = ""
    """Streams: a field that names a message, where producers may send one twice; it lands once. Empty: by its position
    in the stream only."""
    id_window: Positive = 1_000_000
    """Streams with an `id`: among how many rows that landed last the id is looked for."""
    schema: str = ""
    """Streams in Avro: the file with the schema of the messages, such as `clicks.avsc`."""
    schema_id: Count | None = None
    """Streams in Avro: the number of the schema in a schema registry, with which each message begins then."""
    commit_every: Span = "1s"
    """Streams: how long messages are gathered for one commit."""
    drain: Duration = "30s"
    """Streams: how long a collection goes on landing what is waiting; `0s`: it takes what has landed."""
    as_of: int | str = ""
    """Delta tables: a version (`12`) or a moment (`"2026-01-31T00:00:00Z"`). Empty: the newest."""
