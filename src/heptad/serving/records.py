"""What step 5 writes: deployments, that is who answers and who shadows; and the entries of the prediction log."""

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from heptad.core.records import Body

RouteRole = Literal["live", "canary", "shadow"]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One version's part of the traffic. Live and canary shares add up to 1; a shadow sees all, answers none."""

    version: str
    """Id of the `ModelVersion`."""
    label: str
    """What replies and logs call it, `NAME@VERSION`."""
    package: str
    role: RouteRole
    share: float = 1.0


class Deployment(Body, frozen=True, kw_only=True):
    """The routes of an endpoint from one moment on; the newest generation is in force."""

    kind: ClassVar[str] = "deployment"
    prefix: ClassVar[str] = "deploy"

    endpoint: str
    generation: int
    routes: list[Route]
    reason: str


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the prediction log: one row that was answered."""

    id: str
    at: datetime
    caller: str
    endpoint: str
    generation: int
    version: str
    """`NAME@VERSION` of the model that answered."""
    role: RouteRole
    inputs: dict[str, Any]
    label: str | float
    """The class, or the number of a regression."""
    score: float
    """Probability of the positive class, of the answered class where there are more than two, or the number."""
    probabilities: list[float] = []
    shadows: dict[str, float] = {}
    """Score of each shadow by `NAME@VERSION`, of the same class."""
    warnings: list[str] = []
    latency_ms: float
