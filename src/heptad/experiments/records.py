"""What step 2 writes: runs, and the studies and experiments that group them."""

from typing import Any, ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.experiments.machine import Hardware

Special = Literal["nan", "inf", "-inf"]
Status = Literal["scheduled", "running", "finished", "failed", "killed"]


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run happened, as far as it can change its result."""

    python: str
    platform: str
    packages: dict[str, str]
    commit: str = ""
    branch: str = ""
    diff: str = ""
    """Artifact of the uncommitted changes, secrets scrubbed; empty where there are none."""
    command: list[str] = []
    cores: int = 0
    threads: dict[str, str] = {}
    hardware: Hardware = Hardware()


class Run(Body, frozen=True, kw_only=True):
    """One attempt at something: what was known when it began. Status, metrics and tags are attributes beside it.

    Attributes: `status` and `reason`, `name`, `params.NAME`, `metrics.NAME` (latest value), `latest.NAME` (its step,
    and its time in ms), `tags.NAME`, `note`, `artifacts.PATH` (digest), `started`, `ended` and `deleted` (seconds since
    1970), `lost` (entries for which the disk had no room). Of trials `trial.seconds`, `trial.cost`, `trial.at_once`,
    `pruned` (the step) and `violation.FIGURE`. Of runs shipped from elsewhere also `remote`, `user`, and
    `missing.ROLE.ID` for what they were made from and what is not here; of runs imported from MLflow `mlflow.run`.
    Links: `data` to the versions that it read, `study`, `parent`.
    """

    kind: ClassVar[str] = "run"
    prefix: ClassVar[str] = "run"

    name: str
    experiment: str
    study: str = ""
    number: int = 0
    params: dict[str, Any] = {}
    special: dict[str, Special] = {}
    """Parameters that JSON has no number for, by their name with dots; they are in no other field."""
    seed: int = 0
    environment: str = ""
    """Artifact with the `Environment` as JSON: equal environments are stored once."""


class Experiment(Body, frozen=True, kw_only=True):
    """A group of runs. It has a name, which may change, and a number, which clients of MLflow know it by.

    Attributes: `name`, `number`, `scope`, `tags.NAME`, `updated` and `deleted` (seconds since 1970).
    """

    kind: ClassVar[str] = "experiment"
    prefix: ClassVar[str] = "exp"

    name: str
    """As it was called first."""
    number: int
    scope: str
    """What its runs have as their scope."""


class LoggedDataset(Body, frozen=True, kw_only=True):
    """Data that a run says it has read: known by name and digest, and kept nowhere here."""

    kind: ClassVar[str] = "logged_dataset"
    prefix: ClassVar[str] = "ld"

    name: str
    digest: str
    source_type: str
    source: str
    profile: str = ""
    columns: str = ""
    """Its schema as the client wrote it."""
    context: str = ""
    """What it was read for, for example `training`."""


class Study(Body, frozen=True, kw_only=True):
    """One search: its space and its rules; its trials are the runs that name it."""

    kind: ClassVar[str] = "study"
    prefix: ClassVar[str] = "study"

    name: str
    metric: str
    """The first objective."""
    direction: Literal["maximize", "minimize"]
    sampler: str
    seed: int
    space: dict[str, Any] = {}
    objectives: dict[str, Literal["maximize", "minimize"]] = {}
    """All of them, where there are several."""
    pruner: str = "none"
    constraints: list[str] = []
    first: list[dict[str, Any]] = []
    """Points that come before all that are sampled: those given, then those of earlier studies."""

    def objectives_by_name(self) -> dict[str, Literal["maximize", "minimize"]]:
        """Each objective with its direction, the first one first."""
        return {self.metric: self.direction} | self.objectives


class LoggedModel(Body, frozen=True, kw_only=True):
    """A model that a client logs: its files, and what it was made with. A run may log several.

    Attributes: `name`, `status` (`pending`, `ready`, `failed`), `params.NAME`, `metrics.NAME`, `tags.NAME`,
    `artifacts.PATH` (digest of a file), `created` and `updated` (milliseconds since 1970), `deleted`.
    """

    kind: ClassVar[str] = "logged_model"
    prefix: ClassVar[str] = "m"

    name: str
    experiment: str
    """As the experiment's runs name it."""
    run: str = ""
    """Id of the run that made it."""
    type: str = ""


class Upload(Body, frozen=True, kw_only=True):
    """A file that comes in parts, which may arrive in any order and again. Attributes: `part.NUMBER`, `status`."""

    kind: ClassVar[str] = "upload"
    prefix: ClassVar[str] = "upload"

    owner: str
    name: str
    parts: int
