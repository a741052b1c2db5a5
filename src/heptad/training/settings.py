"""The section of heptad.toml that step 3 owns: validate."""

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.core.settings import Part, Positive, Settings


def moment(text: str) -> datetime:
    """A day or a moment in ISO 8601; where it names no zone, of UTC. Raises `InputError`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no day or moment.", allowed="2013-10-01, or 2013-10-01T06:00:00Z") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _check_moment(text: str) -> None:
    if text:
        moment(text)


Moment: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_moment})]


class ValidateSettings(Settings, frozen=True, kw_only=True):
    """`[validate]`: what a trained model is judged on."""

    holdout: Annotated[float, msgspec.Meta(gt=0, le=0.9, description="a share above 0, up to 0.9")] = 0.2
    """Share of the rows (the newest by time, else by hash of the key) that the judged model has not seen."""
    split: Literal["", "time", "hash"] = ""
    """What parts the rows: `time` holds out the newest, `hash` each by its key. Empty: time, where there is one and no
    group."""
    since: Moment = ""
    """The moment from which rows are held out, whatever share they are; empty: `holdout` decides."""
    group: list[str] = []
    """Columns whose values name a group (a patient, a household): its rows are all learnt from or all judged."""
    stratify: bool = True
    """Whether a split by hash gives each side its share of every class."""
    outer_folds: Annotated[int, msgspec.Meta(ge=2, description="a whole number, 2 or more")] = 5
    """Parts of a nested cross-validation, each judged by a search over the others: `heptad training nested`."""
    slices: list[str] = []
    """Columns for whose values the metric is given separately; empty: up to three categories with few values."""
    bootstrap: Positive = 200
    """Resamples behind each interval."""
    confidence: Part = 0.95
    """What the intervals cover."""
