"""What step 7 writes: plans, and how each challenger did beside its champion."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.serving import Strategy

Stage = Literal["retraining", "trial", "ended"]
Outcome = Literal["promoted", "refused", "failed"]


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Why a plan was started: the rule that fired, the sentence that says what fired it, and the report it read."""

    rule: str
    sentence: str
    report: str = ""


class Plan(Body, frozen=True, kw_only=True):
    """A retraining from its trigger to its end.

    Attributes: `stage`, and as they become known `challenger` and `tried_since`, `outcome`, `reason` and `ended`
    (times in ISO 8601).
    """

    kind: ClassVar[str] = "plan"
    prefix: ClassVar[str] = "plan"

    endpoint: str
    triggers: list[Trigger]
    windows: list[str]
    champion: str
    """Id of the version in force when the plan began."""
    strategy: Strategy


class SeenBy(msgspec.Struct, frozen=True, kw_only=True):
    """A model version that was made from data versions with rows that were erased."""

    version: str
    """Id of the `ModelVersion`."""
    label: str
    rows: int
    """Erased rows of the data version it was trained and judged on."""
    live: bool = False
    """Whether it answered when the erasure began."""
    holds_values: bool = False
    """Whether its signature, profile or graph names a value that only those rows had."""


class Erasure(Body, frozen=True, kw_only=True):
    """People's rows taken out of everything. Nothing here says who they are.

    Attributes: `stage` (open, done), and at the end `finished` (ISO 8601), `rows`, `certificate` (artifact), `plan`.
    """

    kind: ClassVar[str] = "erasure"
    prefix: ClassVar[str] = "erasure"

    columns: list[str]
    """The columns that named them."""
    subjects: int
    """How many they are."""
    reason: str
    found: dict[str, int]
    """Place to how many rows of theirs were in it, before any was removed."""
    models: list[SeenBy] = []


class Verdict(Body, frozen=True, kw_only=True):
    """How a challenger did beside the champion on live traffic, and what follows from it."""

    kind: ClassVar[str] = "verdict"
    prefix: ClassVar[str] = "verdict"

    plan: str
    challenger: str
    champion: str
    metric: str
    champion_value: float | None
    challenger_value: float | None
    difference: float | None
    """How much better the challenger was, in the direction that is good; `None` where too few labels landed."""
    low: float | None
    high: float | None
    evidence: float
    """E-value against "the challenger is not worse by more than the allowed harm"; 20 or more stops the trial."""
    rows: int
    stopped: bool
    promoted: bool
    reason: str


class Rehearsal(Body, frozen=True, kw_only=True):
    """A recorded span of time played through the loop. Attributes: `sent_until`, `failed_requests`, `singles`."""

    kind: ClassVar[str] = "rehearsal"
    prefix: ClassVar[str] = "rehearsal"

    endpoint: str
    start: datetime
    end: datetime
    every: str
    first_version: str
    """Id of the version that was in force at the start, kept for comparison."""
