"""Calls of the protocol of any method, and scripts of the real client: each in a process of its own."""

import http.client
import io
import json
import os
import subprocess
import sys
import time
from typing import Any

import msgspec

from heptad.api.messages import Reply, Request
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context
from heptad.api.mlflow.routes import Router
from heptad.core.errors import HeptadError
from heptad.core.workspace import Workspace


class Asker:
    """Calls of one workspace, answered in this process."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.context = Context(workspace)
        self._router = Router(self.context)

    def raw(self, method: str, path: str, body: bytes = b"", query: str = "", **environ: str) -> Reply:
        given = {"HTTP_HOST": "127.0.0.1:1", "wsgi.url_scheme": "http", **environ}
        request = Request(method, path, query, given, io.BytesIO(body), len(body))
        return self._router.answer(request, path)

    def __call__(self, method: str, path: str, query: str = "", **fields: Any) -> Any:
        reply = self.raw(method, f"mlflow/{path}", b"" if method == "GET" else json.dumps(fields).encode(), query)
        assert isinstance(reply.body, bytes)
        return msgspec.json.decode(reply.body)

    def refused(self, method: str, path: str, query: str = "", **fields: Any) -> str:
        """The words with which a call is refused."""
        try:
            found = self(method, path, query, **fields)
        except ProtocolError as error:
            return f"{error.code}: {error.message}"
        except HeptadError as error:
            return f"{type(error).__name__}: {error}"
        raise AssertionError(f"answered {found}")

    def run(self) -> str:
        return str(self("POST", "runs/create", experiment_id="0")["run"]["info"]["run_id"])

    def keep(self, owner: str, name: str, content: bytes = b"x", folder: str = "0") -> None:
        self.raw("PUT", f"mlflow-artifacts/artifacts/{folder}/{owner}/artifacts/{name}", content)

    def content(self, uri: str) -> bytes:
        """What a download of an address answers."""
        path = uri.removeprefix("mlflow-artifacts:/")
        body = self.raw("GET", f"mlflow-artifacts/artifacts/{path}").body
        return body if isinstance(body, bytes) else b"".join(body)

    def model(self, run: str = "", **fields: Any) -> str:
        made = self("POST", "logged-models", experiment_id="0", name="net", source_run_id=run, **fields)
        return str(made["model"]["info"]["model_id"])


def patiently(web: Any, method: str, path: str, body: Any = None) -> Any:
    """What a server answers that was just killed: one that is dying may still take the first call."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return web(method, path, body)
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def with_client(port: int, script: str, **environ: str) -> str:
    """Run a script with the stock client of MLflow pointed at a server; answers what it prints."""
    given = {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **given, **environ},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
