"""The section of heptad.toml that step 7 owns: retrain."""

from typing import Annotated, TypeAlias

import msgspec

from heptad.core.settings import Amount, Count, Duration, OptionalDuration, Positive, Settings, Span


def _check_rule(text: str) -> None:
    from heptad.lifecycle.policies import read_rule  # noqa: PLC0415 - it imports what is watched

    read_rule(text, 0)


Rule: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_rule})]
Window: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(all|(?=.*[1-9])([0-9]+(\.[0-9]+)?(ms|[smhdw]))+)\Z",
        description="all, or a duration above zero, for example 90d",
    ),
]


class RetrainSettings(Settings, frozen=True, kw_only=True):
    """`[retrain]`: when the model is trained again, on what, and which of the new ones is tried."""

    when: tuple[Rule, ...] = ("every 28d", "drift", "loss")
    """`every DURATION`, `drift` (of a feature or of the predictions), `loss`, `estimated_loss`, `METRIC < NUMBER` or
    `METRIC < reference - NUMBER` (`>` and `+` where lower is better); any of them starts a plan."""
    train_on: Annotated[tuple[Window, ...], msgspec.Meta(min_length=1)] = ("all", "90d")
    """A challenger for each window of the newest labelled rows."""
    judge: Span = "14d"
    """The newest labelled rows kept from training; the first half chooses among challengers, the second judges
    the chosen one against the champion."""
    contenders: Positive = 2
    """How many kinds of model are trained on each window: the champion's own, then the next best of its search."""
    cooldown: Duration = "7d"
    """No plan starts sooner after the last one ended."""
    trial: Span = "7d"
    """How long a challenger runs as shadow or canary before it is promoted or refused."""
    harm: Amount = 0.01
    """A challenger is stopped at once where evidence at any time says that it is worse by more than this."""


class RetentionSettings(Settings, frozen=True, kw_only=True):
    """`[retention]`: which versions of the data give up their rows; without either rule all are kept.

    The latest version stays in any case, and so does what has a tag or is needed by a model, a plan or a run.
    """

    keep: Count = 0
    """So many of the newest versions stay; 0: no rule."""
    older_than: OptionalDuration = ""
    """Only older versions go, for example `90d`; empty: no rule."""
