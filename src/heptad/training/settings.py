"""The section of heptad.toml that step 3 owns: validate."""

from typing import Annotated

import msgspec

from heptad.core.settings import Part, Positive, Settings


class ValidateSettings(Settings, frozen=True, kw_only=True):
    """`[validate]`: what a trained model is judged on."""

    holdout: Annotated[float, msgspec.Meta(gt=0, le=0.9, description="a share above 0, up to 0.9")] = 0.2
    """Share of the rows (the newest by time, else by hash of the key) that the judged model has not seen."""
    slices: list[str] = []
    """Columns for whose values the metric is given separately; empty: up to three categories with few values."""
    bootstrap: Positive = 200
    """Resamples behind each interval."""
    confidence: Part = 0.95
    """What the intervals cover."""
