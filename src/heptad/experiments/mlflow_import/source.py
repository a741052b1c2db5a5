"""What can be read of MLflow, wherever it keeps it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

import msgspec

from heptad.experiments.logged_models import ModelMetric


class SourceExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """`deleted` ones keep their runs."""

    id: str
    name: str
    deleted: bool = False
    tags: dict[str, str] = {}


class SourceDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A data set that a run has read; `tags` are those of the reading."""

    name: str
    digest: str
    source_type: str
    source: str
    columns: str = ""
    profile: str = ""
    tags: dict[str, str] = {}


class SourceRun(msgspec.Struct, frozen=True, kw_only=True):
    """Times are milliseconds since 1970."""

    id: str
    name: str
    status: str
    """In lower case."""
    started: int
    ended: int | None = None
    deleted: bool = False
    user: str = ""
    artifacts: str = ""
    """Where its files are, as MLflow says it."""
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: Sequence[str] = ()
    """Names; empty where only `points` knows them."""
    datasets: Sequence[SourceDataset] = ()
    model_outputs: Mapping[str, int] = {}
    """Ids of logged models that it has made, with the step."""


class SourceLoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a client has logged. Times are milliseconds since 1970."""

    id: str
    name: str
    created: int
    updated: int
    status: str
    """One of `STATUSES`."""
    type: str = ""
    run: str = ""
    """Id in MLflow of the run that made it."""
    artifacts: str = ""
    """Where its files are, as MLflow says it."""
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: Sequence[ModelMetric] = ()
    """With the ids that runs have in MLflow."""


class Series(NamedTuple):
    """Every point of a metric, in the order in which they were logged where that is known; times in milliseconds."""

    key: str
    steps: Sequence[int]
    values: Sequence[float]
    times: Sequence[int]


class SourceFile(NamedTuple):
    """A file, by its path below its run, logged model or version."""

    path: str
    size: int
    open: Callable[[], BinaryIO]


class SourceVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A registered version of a model."""

    model: str
    """Name of the model."""
    number: int
    source: str
    run: str = ""
    run_link: str = ""
    description: str = ""
    stage: str = "None"
    tags: dict[str, str] = {}
    place: str = ""
    """Where its files are, as MLflow says it."""


class SourceModel(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model with its versions, and its aliases with their numbers."""

    name: str
    description: str = ""
    tags: dict[str, str] = {}
    aliases: Mapping[str, int] = {}
    versions: Sequence[SourceVersion] = ()


class MlflowSource(Protocol):
    """Reads what MLflow keeps, and changes nothing. Used by one thread.

    Errors: `UnavailableError` where a server does not answer, `DataError` for what is not MLflow's or is damaged.
    """

    def experiments(self) -> Iterator[SourceExperiment]:
        """All of them, deleted ones too."""
        ...

    def runs(self, experiment: SourceExperiment) -> Iterator[SourceRun]:
        """All of them, deleted ones too."""
        ...

    def series(self, run: SourceRun) -> Iterator[Series]:
        """Every point of every metric of a run."""
        ...

    def logged_models(self, experiment: SourceExperiment) -> Iterator[SourceLoggedModel]:
        """Those that were not deleted; none where MLflow is older than logged models."""
        ...

    def files(self, owner: SourceRun | SourceLoggedModel | SourceVersion) -> Iterator[SourceFile] | None:
        """The files of one of them; `None` where they are at a place that is not read."""
        ...

    def models(self) -> Iterator[SourceModel]:
        """The registered models."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
