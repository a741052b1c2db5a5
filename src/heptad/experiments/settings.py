"""The section of heptad.toml that step 2 owns: search."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core import catalogue
from heptad.core.errors import InputError, nearest
from heptad.core.settings import Count, Positive, Settings

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


Balance: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_balance})]
Balances: TypeAlias = Annotated[tuple[Balance, ...], msgspec.Meta(min_length=1)]


class SearchSettings(Settings, frozen=True, kw_only=True):
    """`[search]`: which models are tried, how often, and what makes one better."""

    estimators: Estimators = ("linear", "random_forest", "lightgbm")
    """Kinds of model; `baseline` is the trivial one."""
    balance: Balances = ("none",)
    """How rare classes are made to count, in rows that are learnt from only: `weights`, `oversample`, `undersample`,
    `smote`, or an installed resampler. With several, the search chooses."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """Who proposes the next trial: `tpe` learns from the trials before, `random` and `grid` do not."""
    trials: Positive = 24
    """How many models are tried."""
    folds: Annotated[int, msgspec.Meta(ge=2, description="a whole number, 2 or more")] = 3
    """Each trial is judged on so many parts of the rows, having learnt from others; with a time, from earlier ones."""
    metric: Literal["", MetricName] = ""
    """Empty: `roc_auc` for two classes, `log_loss` for more, `rmse` for regression."""
    sample: Count = 40_000
    """Rows that trials learn from at most; the best is then trained on all of them. 0: all."""
