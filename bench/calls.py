"""Calls of the MLflow protocol by plain HTTP on one kept connection, and how long they take."""

import http.client
import json
import socket
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Ask: TypeAlias = Callable[[str, dict[str, Any]], Any]
"""A path and the fields of a call, to what is answered."""


def asking(port: int) -> Ask:
    """Calls of a server, all on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str, fields: dict[str, Any]) -> Any:
        connection.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(fields))
        response = connection.getresponse()
        said = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(said)
        return said

    return ask


def medians(calls: Mapping[str, Callable[[int], object]], times: int) -> dict[str, float]:
    """Milliseconds of each call, the median of many; in turns, so that what else goes on meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(times):
        for name, call in calls.items():
            began = time.perf_counter()
            call(turn)
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(some) * 1000 for name, some in taken.items()}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
