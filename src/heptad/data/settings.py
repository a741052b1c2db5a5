"""The section `[data]` of heptad.toml; the other sections of step 1 are in the folders of their topics."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.settings import Duration, OptionalDuration, Settings, Task

Function: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^(\w+(\.\w+)*:\w+)?\Z", description="module:function, or empty")
]
ClusterColumns: TypeAlias = Annotated[
    list[str], msgspec.Meta(max_length=4, description="a list of at most four columns")
]
CatchUp = Literal["latest", "all", "skip"]
ColumnType = Literal["number", "integer", "boolean", "category", "text", "datetime"]


class DataSettings(Settings, frozen=True, kw_only=True):
    """`[data]`: the one table that a model learns from."""

    target: str
    """The column to predict."""
    source: str = ""
    """The source the rows come from; may be left out where there is one source or a function."""
    function: Function = ""
    """`module:function` of the project: sources (name to lazy frame) in, one lazy frame out."""
    task: Task | None = None
    """Inferred from the target where absent."""
    key: list[str] = []
    """The columns that name a row; none: its number."""
    time: str = ""
    """The column that says when a row is asked about; splits, windows and joins then respect time."""
    label_time: str = ""
    """The column that says when a row's label became known; null: never known."""
    label_delay: Duration = "0s"
    """How long after `time` labels are known where no column says it."""
    every: OptionalDuration = ""
    """How often the loop collects a new version, for example `30d`; empty: only when a plan retrains."""
    catch_up: CatchUp = "latest"
    """What of `every` is made up for after a time in which nothing ran: `latest` collects once, `all` a version for
    each moment that was missed, `skip` waits for the next one."""
    ignore: list[str] = []
    """Columns that are kept but never become features."""
    partition: list[str] = []
    """Columns whose values have files of their own, so that whoever wants one value reads only those."""
    cluster: ClusterColumns = []
    """Up to four columns by whose values rows lie together in their files, so that whoever filters by any of them reads
    a part of each file, or none."""
    types: dict[str, ColumnType] = {}
    """Types that inference would get wrong."""
