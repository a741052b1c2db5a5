"""The section of heptad.toml that step 3 owns: validate."""

from heptad.core.settings import Settings


class ValidateSettings(Settings, frozen=True, kw_only=True):
    """`[validate]`: what a trained model is judged on."""

    holdout: float = 0.2
    """Share of the rows (the newest by time, else by hash of the key) that the judged model has not seen, 0 to 0.9."""
    slices: list[str] = []
    """Columns for whose values the metric is given separately; empty: up to three categories with few values."""
    bootstrap: int = 200
    """Resamples behind each interval."""
    confidence: float = 0.95
