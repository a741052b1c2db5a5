"""The section `[privacy]` of heptad.toml."""

from typing import Annotated

import msgspec

from heptad.core.settings import Positive, Settings

Epsilon = Annotated[float, msgspec.Meta(gt=0, description="a number above 0")]


class PrivacySettings(Settings, frozen=True, kw_only=True):
    """`[privacy]`: what may be told of a data set in all, with noise that hides each person."""

    epsilon: Epsilon = 1.0
    """The budget of a data set over all its versions and all that was ever asked; when it is spent, it is spent."""
    contributions: Positive = 1
    """The most rows that one person has in the table."""
