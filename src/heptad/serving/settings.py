"""The section of heptad.toml that step 5 owns: deploy."""

from typing import Literal, TypeAlias

from heptad.core.settings import Settings, Share

Strategy: TypeAlias = Literal["shadow", "canary", "all"]


class DeploySettings(Settings, frozen=True, kw_only=True):
    """`[deploy]`: how a version reaches traffic, and where it answers."""

    strategy: Strategy = "shadow"
    """How a challenger is tried: beside the champion unseen, on a share of the traffic, or at once."""
    canary_share: Share = 0.1
    """Share of the ids that a canary answers, by hash of the id, 0 to 1."""
    host: str = "127.0.0.1"
    port: int = 8321
    workers: int = 1
    max_body_mb: int = 16
    max_rows: int = 10_000
    log_inputs: bool = True
    """Whether inputs are kept with each prediction; monitoring and explanations need them."""
