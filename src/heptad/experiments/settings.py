"""The section of heptad.toml that step 2 owns: search."""

from typing import Literal

from heptad.core.settings import Settings


class SearchSettings(Settings, frozen=True, kw_only=True):
    """`[search]`: which models are tried, how often, and what makes one better."""

    estimators: tuple[str, ...] = ("linear", "random_forest", "lightgbm")
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    trials: int = 24
    folds: int = 3
    metric: str = ""
    """Empty: `roc_auc` for two classes, `log_loss` for more, `rmse` for regression."""
    sample: int = 40_000
    """Rows that trials learn from at most; the best is then trained on all of them. 0: all."""
