"""What step 1 writes: versions of a data set, and what a version is known to look like."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.core.settings import Task
from heptad.data.labelling.records import LabellingFunction
from heptad.data.settings import ColumnType

Role = Literal["feature", "target", "key", "time", "label_time", "ignored"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a schema. `categories` are the values seen (at most 1,000, by frequency), or the closed set.

    `nullable` is false where a person requires the column to be complete, and for key and time.
    """

    name: str
    type: ColumnType
    role: Role = "feature"
    nullable: bool = True
    unique: bool = False
    closed: bool = False
    categories: list[str] | None = None
    min: float | None = None
    max: float | None = None
    robust: bool = False
    """Numbers far from the rest were kept, so that whoever learns from it has to bear them."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a table in order, and the task that its target sets."""

    columns: list[Column]
    task: Task
    classes: list[str] = []
    """Classification: the target's values as text, sorted; for two, the second is the positive class."""

    def named(self, role: Role) -> list[str]:
        """Names of the columns with a role."""
        return [column.name for column in self.columns if column.role == role]

    def features(self) -> list[Column]:
        return [column for column in self.columns if column.role == "feature"]

    @property
    def target(self) -> str:
        return self.named("target")[0]


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did: rows it dropped to quarantine, or cells that it changed, with a few examples."""

    rule: str
    column: str = ""
    rows: int = 0
    cells: int = 0
    examples: list[str] = []

    @property
    def aside(self) -> int:
        """Rows that it put aside: those of a line that is too short or of a broken file stay in the table."""
        return 0 if self.rule in {"short_line", "broken_file"} else self.rows


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning learnt of the table, so that the same rules do the same to a single row."""

    bounds: dict[str, list[tuple[float | None, float | None]]] = {}
    """Column to the intervals of its ordinary numbers."""
    votes: dict[str, dict[str, str]] = {}
    """Column to the value, as text, that each group agrees on."""
    unsure: dict[str, int] = {}
    """Column to how many groups disagree without a value that enough of their rows have."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation held against a version. `sentence` says it in words, numbers included."""

    expectation: str
    column: str = ""
    severity: Literal["error", "warning", "info"]
    passed: bool
    failing_rows: int = 0
    looked_at: int | None = None
    """Rows, or values; `None` where the expectation is not about single ones."""
    share: float = 0.0
    """Failing rows as a share of those looked at."""
    observed: float | str | None = None
    """The figure that was found."""
    mostly: float = 1.0
    where: str = ""
    about: str = ""
    expected: str = ""
    """What it is held to, as heptad.toml has it."""
    sentence: str = ""


class ExpectationResult(Body, frozen=True, kw_only=True):
    """What is expected in `[expect]`, held against a version after it was made."""

    kind: ClassVar[str] = "expectation_result"
    prefix: ClassVar[str] = "expect"

    name: str
    version: int
    compared_with: int = 0
    """The version whose profile was compared with; 0: there was none."""
    rows: int
    passed: bool
    """Whether everything holds whose severity is `error`."""
    findings: list[Finding]
    """Figures only: rows that break an expectation are shown when it is checked, and not kept."""


class ReleasedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that a rule lets pass as long as its content is the same; `row` is its id in quarantine."""

    row: str
    rule: str


class RowsReleased(Body, frozen=True, kw_only=True):
    """Somebody let rows of the quarantine into the next version, and said why."""

    kind: ClassVar[str] = "rows_released"
    prefix: ClassVar[str] = "freed"

    name: str
    reason: str
    rows: list[ReleasedRow]


class MessagesReleased(Body, frozen=True, kw_only=True):
    """Somebody had messages of a stream's quarantine read again, and said why."""

    kind: ClassVar[str] = "messages_released"
    prefix: ClassVar[str] = "reread"

    name: str
    """Of the stream."""
    reason: str
    rows: int
    """Messages that landed."""
    repeated: int
    """Messages that were let go of, since their id had landed."""
    left: int
    """Messages that are in quarantine still."""


class SourceRead(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a source, and how it was understood (separator, encoding, and what was guessed)."""

    name: str
    uri: str
    rows: int
    happened: int | None = None
    """How many of its rows had happened by the moment of the version; `None` where no time says so of each."""
    digest: str
    understood: dict[str, str] = {}
    columns: dict[str, str] = {}
    """Its columns and their types, after what `on_change` says was done."""


class DatasetVersion(Body, frozen=True, kw_only=True):
    """One version of a project's table: rows that are in the Delta table at `delta_version`."""

    kind: ClassVar[str] = "dataset_version"
    prefix: ClassVar[str] = "data"

    name: str
    version: int
    table: str
    """Folder of the Delta table, relative to the workspace's tables."""
    delta_version: int
    rows: int
    labelled: int
    """Rows whose label was known at `until`."""
    digest: str
    """Equal rows in equal order have equal digests."""
    blocks: list[str] = []
    """Digests of blocks of rows, so that the next version finds the first difference without reading this one."""
    schema: Schema
    until: datetime
    """Rows up to this moment, with the labels that were known then."""
    everything: bool = False
    """Collected without such a moment: all rows that the sources held; `until` is when."""
    first_time: datetime | None = None
    last_time: datetime | None = None
    sources: list[SourceRead] = []
    repairs: list[Repair] = []
    findings: list[Finding] = []
    profile: str
    """Artifact of the profile of all rows, `data.Profile` as JSON."""
    fitted: Fitted = msgspec.field(default_factory=Fitted)
    """What the rules of `[clean]` learnt of the table."""
    released: int = 0
    """Acts of releasing rows of the quarantine that it was made after."""
    settings: dict[str, object] = {}
    """The effective settings of step 1, secrets left out."""
    labelling: list[LabellingFunction] = []
    """How each labelling function did; empty: labels are those of the sources."""
    corrections: str = ""
    """Id of the `Correction` that was in force; empty: there was none."""


class SplitRule(Body, frozen=True, kw_only=True):
    """How rows of a data set are dealt into parts. Each row's part follows from its own key and stratum for ever."""

    kind: ClassVar[str] = "split_rule"
    prefix: ClassVar[str] = "split"

    name: str
    """The data set."""
    version: int
    """The version that the cuts were fitted to."""
    by: list[str]
    """The columns whose hash decides: the key, or those that name a group, whose rows then stay together."""
    key: list[str]
    """What names a row; it stands in where a row has no group."""
    stratum: str = ""
    """The column of which every part gets its share of each value; empty: none."""
    seed: int
    shares: list[float]
    """What each part shall have of the rows; 1 together."""
    cuts: dict[str, list[float]]
    """Value of the stratum to the hashes at which parts end."""
