"""The table of the protocol: which call is answered where."""

import re
from collections.abc import Iterator, Sequence

from heptad.api.messages import JSON, Reply, Request
from heptad.api.mlflow import (
    artifacts,
    experiments,
    inputs,
    logged,
    logged_models,
    metrics,
    model_versions,
    multipart,
    registered_models,
    runs,
    server_info,
)
from heptad.api.mlflow.codec import decode_call, encode_reply
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context, Route

ROUTES: tuple[Route, ...] = (
    *experiments.ROUTES,
    *runs.ROUTES,
    *logged.ROUTES,
    *inputs.ROUTES,
    *metrics.ROUTES,
    *artifacts.ROUTES,
    *multipart.ROUTES,
    *logged_models.ROUTES,
    *registered_models.ROUTES,
    *model_versions.ROUTES,
    *server_info.ROUTES,
)
PAGES = frozenset({"/get-artifact", "/model-versions/get-artifact"})
"""Paths of the protocol that stand alone: downloads of one file."""
PREFIX = re.compile(r"/(?:ajax-)?api/(?:2\.0|3\.0)/")
NOT_OFFERED = {
    "traces": "traces",
    "gateway": "the AI gateway",
    "scorers": "scorers",
    "datasets": "evaluation datasets",
    "prompt-optimization": "prompt optimisation",
    "workspaces": "workspaces of MLflow",
    "webhooks": "webhooks",
    "issues": "issues",
    "label-schemas": "label schemas",
    "review-queues": "review queues",
}
"""Parts of the protocol by the first word of their paths."""


class Router:
    """Finds who answers a request of the protocol, and lets him."""

    def __init__(self, context: Context, routes: Sequence[Route] = ROUTES) -> None:
        self._context = context
        self._fixed = {(one.path, one.method): one for one in routes if "{" not in one.path}
        self._patterns = [(_pattern(one.path), one) for one in routes if "{" in one.path]

    def answer(self, request: Request, path: str) -> Reply:
        """`path` is what stands behind `/api/VERSION/`; raises `ProtocolError` and the errors of the store.

        `HEAD` is answered as `GET` is, without the body.
        """
        route = self._fixed.get((path, _routed(request.method)))
        if route is None:
            route, request = self._matching(request, path)
        if route.takes is None:
            reply: Reply = route.answer(self._context, request)
        else:
            reply = Reply(200, JSON, encode_reply(route.answer(self._context, decode_call(request, route.takes))))
        return reply._replace(body=b"") if request.method == "HEAD" else reply

    def _matching(self, request: Request, path: str) -> tuple[Route, Request]:
        others = {one.method for (known, _), one in self._fixed.items() if known == path}
        for pattern, route in self._patterns:
            if found := pattern.fullmatch(path):
                if route.method == _routed(request.method):
                    return route, request._replace(captured=found.groupdict())
                others.add(route.method)
        if others:
            allowed = ", ".join(sorted(others))
            raise ProtocolError("BAD_REQUEST", f"{path} takes {allowed}, not {request.method}.", 405)
        raise ProtocolError("ENDPOINT_NOT_FOUND", _unknown(path))


def _routed(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join(_expressions(path)), re.DOTALL)


def _expressions(path: str) -> Iterator[str]:
    for part in re.split(r"(\{[a-z_]+(?:\.\.\.)?\})", path):
        if part.endswith("...}"):
            yield f"(?P<{part[1:-4]}>.*)"
        elif part.startswith("{"):
            yield f"(?P<{part[1:-1]}>[^/]+)"
        else:
            yield re.escape(part)


def _unknown(path: str) -> str:
    words = path.split("/")
    part = NOT_OFFERED.get(words[1] if len(words) > 1 else "")
    if part:
        return f"Heptad does not offer {part} of the MLflow protocol: {path}. docs/mlflow.md lists what it offers."
    return f"There is nothing at {path}: docs/mlflow.md lists what Heptad offers of the MLflow protocol."
