"""What step 2 writes: runs, and the studies and experiments that group them."""

from typing import Any, ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.experiments.machine import Hardware

Status = Literal["running", "finished", "failed", "killed"]


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

    Attributes: `status` and `reason`, `params.NAME`, `metrics.NAME` (latest value), `tags.NAME`, `note`,
    `artifacts.PATH` (digest), `ended` (seconds since 1970), `lost` (entries for which the disk had no room).
    Links: `data` to the versions that it read, `study`, `parent`.
    """

    kind: ClassVar[str] = "run"
    prefix: ClassVar[str] = "run"

    name: str
    experiment: str
    study: str = ""
    number: int = 0
    params: dict[str, Any] = {}
    seed: int = 0
    environment: str = ""
    """Artifact with the `Environment` as JSON: equal environments are stored once."""


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
