"""The sections of heptad.toml that step 5 owns: deploy, and api, which listens as the server of predictions does."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.settings import Duration, Part, Positive, Settings

Strategy: TypeAlias = Literal["shadow", "canary", "all"]
Port: TypeAlias = Annotated[
    int, msgspec.Meta(ge=0, le=65535, description="a port from 1 to 65535, or 0 for any free one")
]


class DeploySettings(Settings, frozen=True, kw_only=True):
    """`[deploy]`: how a version reaches traffic, and where it answers."""

    strategy: Strategy = "shadow"
    """How a challenger is tried: beside the champion unseen, on a share of the traffic, or at once."""
    canary_share: Part = 0.1
    """Share of the ids that a canary answers, by hash of the id."""
    host: str = "127.0.0.1"
    """Where the server listens; only this machine can reach a loopback address."""
    port: Port = 8321
    """The server's port."""
    workers: Positive = 1
    """Processes that answer."""
    max_body_mb: Positive = 16
    """Size of a request at most."""
    max_rows: Positive = 10_000
    """Rows of a request at most."""
    log_inputs: bool = True
    """Whether inputs are kept with each prediction; monitoring and explanations need them."""
    features: list[str] = []
    """Feature views whose features the server looks up in the online store, for rows that give only the view's keys."""
    answers_kept: Duration = "30d"
    """How long a repeated id gets the answer it had; after that it is refused, and its answer is in the log only."""


class ApiSettings(Settings, frozen=True, kw_only=True):
    """`[api]`: where the HTTP API and MLflow clients are answered."""

    host: str = "127.0.0.1"
    """Where it listens; only this machine can reach a loopback address."""
    port: Port = 8320
    """Its port; `heptad up --port` says otherwise."""
    workers: Positive = 1
    """Processes that answer; a second pays where many clients log at once."""
