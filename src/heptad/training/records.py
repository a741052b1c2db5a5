"""What step 3 writes: a candidate, that is a model and what was measured of it."""

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from heptad.core.records import Body
from heptad.core.settings import Task
from heptad.data import ColumnType


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a model, as a client sends it. `categories` are those that training saw."""

    name: str
    type: ColumnType
    required: bool = False
    """A null is refused: the schema declared the column complete and a person closed it."""
    closed: bool = False
    """A value outside of `categories` is refused instead of warned about."""
    categories: list[str] | None = None
    nulls_seen: bool = True
    """Training saw nulls here, so that one is no news."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes and gives."""

    inputs: list[Input]
    task: Task
    target: str
    classes: list[str] = []
    """Sorted; of two, the second is the positive one that `threshold` speaks of."""
    threshold: float | None = None
    """Binary only: probabilities of at least this much are answered with the positive class."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with its bootstrap interval. `better` says which direction is good."""

    name: str
    value: float
    low: float
    high: float
    rows: int
    better: Literal["higher", "lower"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is the metric of `a` minus that of `b`, whichever direction is good, with its paired interval."""

    metric: str
    value: float
    low: float
    high: float
    rows: int
    better: Literal["higher", "lower"]
    a: float
    b: float

    @property
    def a_is_better(self) -> bool:
        """The whole interval lies on the good side."""
        return self.low > 0 if self.better == "higher" else self.high < 0


class SliceMetric(msgspec.Struct, frozen=True, kw_only=True):
    """The main metric where `column` has `value`."""

    column: str
    value: str
    metric: Metric


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose predicted probability lies in a bin: what was predicted and what came true, both 0 to 1."""

    predicted: float
    observed: float
    rows: int


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How far the exported ONNX model is from the Python model, over every held-out row."""

    rows: int
    largest_difference: float
    tolerance: float
    differing_labels: int

    @property
    def holds(self) -> bool:
        return self.largest_difference <= self.tolerance and self.differing_labels == 0


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured on held-out rows."""

    metric: str
    """Name of the main metric."""
    metrics: list[Metric]
    baseline: list[Metric]
    """The same metrics of the trivial model: the most common class, the rate, or the mean."""
    baseline_name: str
    gain: Difference | None = None
    """The main metric of the model minus that of the trivial one; `None` where either is undefined."""
    confidence: float = 0.95
    """What the intervals promise, 0 to 1."""
    absent: dict[str, str] = {}
    """Metrics that are undefined on the judged rows, and what they would need."""
    threshold_reason: str = ""
    """Two classes: how the decision threshold was chosen."""
    calibration: list[CalibrationBin] = []
    slices: list[SliceMetric] = []
    attributions: dict[str, float] = {}
    """Mean absolute contribution of each feature to the raw score, largest first; of a model that was trained
    elsewhere to the score that it answers."""
    parity: Parity
    model_latency_p50_ms: float
    model_latency_p99_ms: float
    """One row through the ONNX session, one thread; an observation, never part of a decision by default."""

    def value(self, name: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.name == name), None)


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows were learnt from and which judged, so that it can be done again.

    By time: learnt from `[train_from, train_until)`, as far as labels were known at its end, judged on
    `[train_until, judge_until)`; with a `group`, without the rows of groups that are judged. By hash: as the
    `SplitRule` says, whose first part is judged.
    """

    by: Literal["time", "hash"]
    train_from: datetime | None = None
    train_until: datetime | None = None
    judge_until: datetime | None = None
    known_at: datetime | None = None
    """Labels known at this moment were used, no later ones."""
    holdout: float = 0.0
    group: list[str] = []
    """The columns that name a group, which is on one side with all its rows."""
    rule: str = ""
    """By hash: id of the `SplitRule`."""
    train_rows: int = 0
    judge_rows: int = 0


EXTERNAL = "external"
"""The estimator of a candidate that was trained elsewhere."""


class Candidate(Body, frozen=True, kw_only=True):
    """A trained model with its evaluation. It measures; whether that is good enough is decided by release."""

    kind: ClassVar[str] = "candidate"
    prefix: ClassVar[str] = "candidate"

    name: str
    estimator: str
    params: dict[str, Any]
    seed: int
    dataset: str
    """Id of the `DatasetVersion`."""
    run: str
    """Id of the `Run` whose parameters were used."""
    window: str
    """`all`, or a duration such as `90d`: how far back the training rows go."""
    split: Split
    signature: Signature
    notes: list[str] = []
    """What the model was not told: rare categories that count as one, texts that chose no words."""
    evaluation: Evaluation
    model: str
    """Artifact: the ONNX graph, transforms included."""
    model_digest: str
    """Digest of the model's parameters as numbers, for `reproduce`: equal models have equal digests."""
    profile: str
    """Artifact: `data.Profile` of the training rows' features, the reference of monitoring."""
    background: str
    """Artifact: Arrow IPC of at most 100 generated rows, against which predictions are explained."""
    environment: str
    """Artifact: `experiments.Environment` as JSON; of a model that was trained elsewhere, that of its judging."""
    scores: str = ""
    """Artifact: Arrow IPC of the held-out rows' keys, labels and predictions; comparisons read it."""
    external: str = ""
    """Of a model that was trained elsewhere: id of the version that a client registered."""
