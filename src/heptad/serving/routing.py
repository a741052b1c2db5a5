"""Which version answers an id, and which ones only watch: decided by the id alone, so every machine agrees."""

from collections.abc import Sequence
from itertools import accumulate

from blake3 import blake3

from heptad.core.errors import InputError
from heptad.serving.records import Route

_TOLERANCE = 1e-9
"""Shares such as 0.9 and 0.1 do not add up to exactly 1 in binary."""


def position_of(identity: str) -> float:
    """Where an id falls on the line from 0 to 1, evenly over all ids: the first 64 bits of its BLAKE3."""
    return int.from_bytes(blake3(identity.encode()).digest(8)) / 2.0**64


class Routing:
    """The routes of one generation. Raises `InputError` where their shares do not make one whole."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.answering = [route for route in routes if route.role != "shadow"]
        self.shadows = [route for route in routes if route.role == "shadow"]
        check_routes(routes)
        self._until = list(accumulate(route.share for route in self.answering))

    def answers(self, identity: str) -> Route:
        """The route that answers this id; as long as shares only move, few ids change sides."""
        if len(self.answering) == 1:
            return self.answering[0]
        position = position_of(identity)
        for route, until in zip(self.answering, self._until, strict=True):
            if position < until:
                return route
        return self.answering[-1]


def check_routes(routes: Sequence[Route]) -> None:
    """Raise `InputError` unless exactly one version is live and the shares of those that answer make up 1."""
    answering = [route for route in routes if route.role != "shadow"]
    live = [route.label for route in answering if route.role == "live"]
    if len(live) != 1:
        raise InputError(
            f"{len(live)} versions would be live{': ' + ', '.join(live) if live else ''}.",
            allowed="exactly one live route, beside it any number of canaries and shadows",
        )
    outside = next((route for route in answering if not 0 <= route.share <= 1), None)
    total = sum(route.share for route in answering)
    if outside is not None or abs(total - 1) > _TOLERANCE:
        shares = ", ".join(f"{route.label} {route.share:g}" for route in answering)
        raise InputError(f"The shares {shares} add up to {total:g}.", allowed="shares from 0 to 1 that add up to 1")
    for role in ("canary", "shadow"):
        labels = [route.label for route in routes if route.role == role]
        doubled = next((label for label in labels if labels.count(label) > 1), None)
        if doubled is not None:
            raise InputError(f"{doubled} would be {role} twice.", allowed="each version once in a role")
