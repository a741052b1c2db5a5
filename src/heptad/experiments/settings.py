"""The sections of heptad.toml that step 2 owns: search, tracking."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypedDict

import msgspec

from heptad.core import catalogue
from heptad.core.errors import InputError, nearest
from heptad.core.settings import Amount, Count, Positive, Settings

MetricName = Literal[
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "accuracy",
    "f1",
    "calibration_error",
    "f1_macro",
    "roc_auc_ovr",
    "rmse",
    "mae",
    "r2",
    "median_error",
]
"""Every metric that settings may name; step 3 says what each is."""
EstimatorName = Literal["linear", "random_forest", "lightgbm", "baseline"]
"""Every kind of model that can be searched; step 3 says what each is."""
Estimators: TypeAlias = Annotated[tuple[EstimatorName, ...], msgspec.Meta(min_length=1)]


BUILT_IN = ("none", "weights", "oversample", "undersample")


def _check_balance(name: str) -> None:
    if name not in BUILT_IN:
        known = [*BUILT_IN, *sorted(catalogue.known("resampler"))]
        if name not in known:
            raise InputError(f"there is no way to balance called {name!r}.", allowed=nearest(name, known))


def _check_constraint(text: str) -> None:
    from heptad.experiments.searching.objectives import constraint  # noqa: PLC0415 - most projects have none

    constraint(text)


Constraint: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_constraint})]
Balance: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_balance})]
Balances: TypeAlias = Annotated[tuple[Balance, ...], msgspec.Meta(min_length=1)]
OptionalSpan: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(|(?=.*[1-9])([0-9]+(\.[0-9]+)?(ms|[smhdw]))+)\Z",
        description="a duration above zero (30s, 90m, 6h, 7d, 4w), or empty for none",
    ),
]
OptionalRoom: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(|(?=.*[1-9])[0-9]+(\.[0-9]+)?(MB|GB|TB|MiB|GiB|TiB))\Z",
        description="an amount of memory above zero (500MB, 2GB, 1.5GiB), or empty for what there is",
    ),
]


class SearchRules(TypedDict, total=False):
    """Rules of a search that are given from Python; each is a setting of `[search]`, where it is explained."""

    sampler: str
    trials: int
    budget: str
    cost: float
    pruner: str
    processes: int
    timeout: str
    memory: str
    constraints: Sequence[str]
    warm_start: str


class SearchSettings(Settings, frozen=True, kw_only=True):
    """`[search]`: which models are tried, how often, and what makes one better."""

    estimators: Estimators = ("linear", "random_forest", "lightgbm")
    """Kinds of model; `baseline` is the trivial one."""
    balance: Balances = ("none",)
    """How rare classes are made to count, in rows that are learnt from only: `weights`, `oversample`, `undersample`,
    `smote`, or an installed resampler. With several, the search chooses."""
    features: tuple[str, ...] = ()
    """Columns that a trial may do without: for each, the search chooses whether it is used. The others always are."""
    sampler: Literal["tpe", "random", "grid", "cmaes", "gp"] = "tpe"
    """Who proposes the next trial: `tpe`, `cmaes` and `gp` learn from the trials before, `random` and `grid` do not."""
    trials: Positive = 24
    """How many models are tried."""
    budget: OptionalSpan = ""
    """No trial begins after so much time in trials. Empty: no limit. What is tried then depends on the machine."""
    cost: Amount = 0
    """No trial begins once trials have cost so much, as they say themselves; 0: no limit."""
    pruner: Literal["none", "median", "halving", "hyperband"] = "none"
    """Who ends trials that begin badly, fold by fold."""
    processes: Positive = 1
    """How many trials run at once, each in a process of its own."""
    timeout: OptionalSpan = ""
    """A trial that runs longer is ended and has failed. Empty: no limit."""
    memory: OptionalRoom = ""
    """A trial whose process takes more is ended and has failed. Empty: no limit."""
    objectives: tuple[MetricName, ...] = ()
    """More metrics that shall be good at once; `metric` alone chooses among what none beats."""
    constraints: tuple[Constraint, ...] = ()
    """What a model has to keep to: `calibration_error <= 0.05`. One that does not is never the best."""
    warm_start: str = ""
    """`similar`: begin with the best of earlier searches over similar data; or the id of an earlier study."""
    folds: Annotated[int, msgspec.Meta(ge=2, description="a whole number, 2 or more")] = 3
    """Each trial is judged on so many parts of the rows, having learnt from others; with a time, from earlier ones."""
    metric: Literal["", MetricName] = ""
    """Empty: `roc_auc` for two classes, `log_loss` for more, `rmse` for regression."""
    sample: Count = 40_000
    """Rows that trials learn from at most; the best is then trained on all of them. 0: all."""


def _check_server(text: str) -> None:
    from heptad.experiments.journal.http_target import server_address  # noqa: PLC0415 - most projects have none

    if text:
        server_address(text)


Server: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_server})]


class TrackingSettings(Settings, frozen=True, kw_only=True):
    """`[tracking]`: where `heptad.track` keeps runs."""

    server: Server = ""
    """`http://HOST:PORT` of a `heptad up` that keeps them; empty: this project. HEPTAD_SERVER comes before it."""
    journals: str = ""
    """Folder of what is on its way to a server; empty: the workspace's. HEPTAD_JOURNALS comes before it."""
