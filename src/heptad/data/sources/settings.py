"""The section `[sources]` of heptad.toml."""

import codecs
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.core.settings import Amount, Count, Duration, OptionalDuration, Positive, Settings, Span
from heptad.data.expectations.settings import Range
from heptad.data.manifests.settings import ManifestSettings


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name or "utf-8")
    except LookupError as error:
        raise InputError(f"there is no encoding {name!r}.", allowed="utf-8, windows-1252, utf-16, ...") from error


Encoding: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_encoding})]
Character: TypeAlias = Annotated[str, msgspec.Meta(max_length=1, description="one character, or empty")]


OfChange = Literal["accept", "coerce", "refuse"]


class OnChange(Settings, frozen=True, kw_only=True):
    """What is done where a source has other columns than at the version before."""

    added: OfChange = "accept"
    """`accept` keeps a new column, without learning from it; `coerce` leaves it out; `refuse` makes no version."""
    dropped: OfChange = "refuse"
    """`accept` goes on without the column; `coerce` goes on with it, all its values missing; `refuse` makes no
    version."""
    retyped: OfChange = "coerce"
    """`accept` takes the new type; `coerce` keeps the old one where no value is lost by it, and else refuses."""
    columns: dict[str, OfChange] = {}
    """Column to what is done about it, whatever happens to it."""


PositiveFloat: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Retries: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=20)]


class RestSettings(Settings, frozen=True, kw_only=True):
    """How the rows of an HTTP API are asked for, page by page."""

    records: str = ""
    """Path to the rows in an answer, such as `data.items`; empty: the answer itself, or its only array of objects."""
    parameters: dict[str, str] = {}
    """Parameters of every request; secrets as `${NAME}`."""
    paging: Literal["", "page", "offset", "cursor", "next", "link"] = ""
    """`page`, `offset`: numbers; `cursor`: a value of each answer goes into the next request; `next`: an address in
    each answer; `link`: the header `Link`. Empty: `link` where there is one, else a single answer."""
    parameter: str = ""
    """The parameter for the page, offset or cursor; empty: called like the paging."""
    first: int | None = None
    """The number of the first page or offset; not set: 1 for pages, 0 for offsets."""
    size: Count = 0
    """Rows to ask for in a page; pages end with one of fewer, and of fewer than the first where the server gives less;
    0: the server's own, and pages end with an empty one."""
    size_parameter: str = "limit"
    """The parameter for `size`."""
    next: str = "next"
    """Path in an answer to the cursor, or the address, of the next page."""
    since: str = ""
    """The parameter for the greatest value of `cursor` seen, so that later collections ask for what is new only; needs
    `key`. Empty: everything is asked for each time."""
    per_second: Amount = 0.0
    """Requests a second at most; 0: as fast as they are answered."""
    auth: Literal["", "bearer", "basic", "key", "oauth2"] = ""
    """How requests are authorised; secrets as `${NAME}`."""
    token: str = ""
    """`bearer`: the token."""
    user: str = ""
    """`basic`: the user."""
    password: str = ""
    """`basic`: the password."""
    key: str = ""
    """`key`: the API key."""
    key_name: str = "X-API-Key"
    """`key`: the header, or the parameter, that it goes into."""
    key_in: Literal["header", "query"] = "header"
    """`key`: where it goes."""
    token_url: str = ""
    """`oauth2`: where tokens are had for client credentials (RFC 6749, 4.4)."""
    client_id: str = ""
    """`oauth2`: the client."""
    client_secret: str = ""
    """`oauth2`: its secret."""
    scope: str = ""
    """`oauth2`: what the token shall allow."""


class SourceSettings(Settings, frozen=True, kw_only=True):
    """`[sources.NAME]`: where rows come from."""

    uri: str
    """A path or glob relative to the project, or an address: `s3://BUCKET/KEY`, `https://HOST/FILE`,
    `kafka://HOST:PORT/TOPIC`, ..."""
    time: str = ""
    """The column that says when a row happened; rows are collected up to a moment by it."""
    format: Literal["", "csv", "jsonl", "json", "parquet", "arrow", "avro", "excel", "html", "manifest"] = ""
    """Empty: by the file's name and content. `manifest`: `uri` is a folder, and each file in it a row."""
    sheet: str = ""
    """The sheet of a book of Excel or OpenDocument, or the table of an HTML page: its number from 1, id or caption;
    `book.xlsx!Sheet` and `page.html#table=2` in `uri` say the same."""
    unpacked_gb: PositiveFloat = 50.0
    """The most that a compressed file or a member of an archive may hold, in GB of 10^9 bytes."""
    endpoint: str = ""
    """The address of an object store that is not the provider's own, such as `http://127.0.0.1:9000`."""
    options: dict[str, str] = {}
    """Options of an object store, such as `region`, or of librdkafka, such as `"security.protocol"`; keys and tokens as
    `${NAME}`, or from the environment. For `nats+tls://` and `mqtts://`: `ca`, `certificate`, `key`, files in PEM."""
    headers: dict[str, str] = {}
    """Headers of requests over HTTP, such as `Authorization = "Bearer ${TOKEN}"`."""
    timeout: Span = "30s"
    """How long a server may take to connect, and to send the next bytes."""
    retries: Retries = 4
    """How often a server that is not there, or that fails, is asked again, with growing pauses."""
    on_change: OnChange | OfChange | None = None
    """What is done where columns were added, dropped or retyped since the version before: one word for all, or a table
    with `added`, `dropped`, `retyped`, each `accept`, `coerce` or `refuse`, and `columns.NAME` for single ones. Not
    set: of the source that the rows come from, added are accepted, dropped refused, retyped coerced; others, of which
    a function or features take what they need, are accepted. Of streams it holds for each message as well; not set, new
    and missing fields are accepted, and values of other types are not."""
    fresh: OptionalDuration = ""
    """The newest row, by `time`, is at most so long before the moment of the version, or there is none. Empty: not
    looked at."""
    volume: Range | None = None
    """Rows as a multiple of the median of the five versions before; outside of it there is no version. Not set: fewer
    than half only warn."""
    separator: Character = ""
    """CSV only; empty: detected."""
    quote: Character | None = None
    """CSV only; not set: detected, empty text: quotes are ordinary characters."""
    encoding: Encoding = ""
    """Empty: detected, which is reported."""
    header: bool | None = None
    """CSV only; not set: detected."""
    nulls: tuple[str, ...] = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "?")
    """Files: texts that mean missing."""
    dates: str = ""
    """How times are written in texts, as in `%d.%m.%Y %H:%M`; empty: detected, which is reported. Databases other than
    SQLite say themselves what is a time."""
    columns: list[str] = []
    """Names of the columns, for a file without a header."""
    table: str = ""
    """Databases: the table or view to read, as `name` or `schema.name`."""
    query: str = ""
    """Databases: a SELECT to read instead of a table."""
    cursor: str = ""
    """Databases and HTTP APIs: a column that only grows, such as an id or `updated_at`; later collections read rows
    from its greatest value on. Empty: all rows are read again."""
    key: list[str] = []
    """With a cursor: the columns by which a row that is read again replaces the one before. Empty: the primary key of
    the table."""
    refresh: OptionalDuration = ""
    """Databases and HTTP APIs: how long what was read counts as new, also for other commands. Empty: a minute, for one
    command."""
    read_timeout: Span = "1h"
    """Databases: how long reading may take in all."""
    rest: RestSettings = msgspec.field(default_factory=RestSettings)
    """HTTP APIs at `rest:https://HOST/PATH`: pages, authorisation, limits."""
    manifest: ManifestSettings = msgspec.field(default_factory=ManifestSettings)
    """Folders of images, texts and sounds, with `format = "manifest"`."""
    id: str = ""
    """Streams: a field that names a message, where producers may send one twice; it lands once. Empty: by its position
    in the stream only."""
    id_window: Positive = 1_000_000
    """Streams with an `id`: among how many rows that landed last the id is looked for."""
    schema: str = ""
    """Streams in Avro: the file with the schema of the messages, such as `clicks.avsc`."""
    schema_id: Count | None = None
    """Streams in Avro: the number of that schema in a schema registry, with which each message begins then."""
    registry: str = ""
    """Streams in Avro: the address of a schema registry instead, such as `http://HOST:8081` or
    `https://USER:${PASSWORD}@HOST`; each message begins with the number of its schema there."""
    commit_every: Span = "1s"
    """Streams: how long messages are gathered for one commit."""
    land: Literal["asked", "always"] = "asked"
    """Streams: `always`: `heptad up` lands it all the time, in a process of its own; `asked`: when data are collected,
    and by `heptad data stream land`."""
    drain: Duration = "30s"
    """Streams: how long a collection goes on landing what is waiting; `0s`: it takes what has landed."""
    as_of: int | str = ""
    """Delta tables: a version (`12`) or a moment (`"2026-01-31T00:00:00Z"`). Empty: the newest."""
