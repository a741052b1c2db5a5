"""What step 4 writes: a decision always, a model version where it was yes."""

from typing import ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.training import Metric


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate held against a candidate: what was measured, what was asked, and the sentence that says so.

    `low` and `high` are the interval of `value`; `None` where it has none.
    """

    gate: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    low: float | None = None
    high: float | None = None
    sentence: str


class Decision(Body, frozen=True, kw_only=True):
    """Whether a candidate may become a version, and why."""

    kind: ClassVar[str] = "decision"
    prefix: ClassVar[str] = "decision"

    candidate: str
    accepted: bool
    gates: list[GateResult]
    champion: str = ""
    """Id of the version it was compared with; empty where there was none."""
    reason: str
    """One sentence a reviewer can read."""
    rows: int = 0
    """How many rows the candidate, and the champion with it, were measured on."""
    metrics: list[Metric] = []
    """What the candidate came to on these rows."""
    champion_metrics: list[Metric] = []
    """What the champion came to on the same rows."""


ADOPTED = "adopted"
"""Attribute of an external version: the version that it became when it had passed the gates."""


class ModelVersion(Body, frozen=True, kw_only=True):
    """A version of a model: a signed package that may be served, or, of origin `external`, files that a client keeps.

    Aliases (`champion`, `challenger`, `previous`, and those that people give) point at versions. Attributes: `version`
    (the number, to be searched by), `name` (of its model, now), `status` (`registered`, `refused`, `retired`),
    `champion_since` (ISO time, while it is champion), `approved.ACTOR` (the sentence of each who approved), `adopted`
    (of an external one: the version that it became), `stage`, `description`, `tags.NAME`, `source`, `run`, `created`
    and `updated` (milliseconds since 1970), `deleted`, and what
    people note beside it.
    """

    kind: ClassVar[str] = "model_version"
    prefix: ClassVar[str] = "model"

    name: str
    version: int
    package: str = ""
    """Artifact: the signed package; empty for an external one."""
    candidate: str = ""
    decision: str = ""
    estimator: str = ""
    metric: str = ""
    value: float | None = None
    """The main metric on the held-out rows; `None` where it is not defined on them."""
    origin: Literal["heptad", "external"] = "heptad"
    source: str = ""
    """Of an external one: where it comes from, as its client says."""
    run: str = ""
    run_link: str = ""
    logged_model: str = ""
    files: dict[str, str] = {}
    """Name and artifact of each file: of an external one, those that its source had when it was registered; of ours,
    those by which clients of MLflow load it."""

    @property
    def label(self) -> str:
        """What people and replies call it, `NAME@VERSION`."""
        return f"{self.name}@{self.version}"


class RegisteredModel(Body, frozen=True, kw_only=True):
    """A name under which versions are kept. That of the project's own model is there once it has a version.

    Attributes: `name` (now), `description`, `tags.NAME`, `alias.NAME` (number of the version), `stages` (once a version
    had one), `created` and `updated` (milliseconds since 1970), `deleted`.
    """

    kind: ClassVar[str] = "registered_model"
    prefix: ClassVar[str] = "registered"

    name: str
    """As it was called first."""
    origin: Literal["heptad", "external"] = "external"
    registry: str = ""
    """Of the project's own model: the scope of its versions."""
