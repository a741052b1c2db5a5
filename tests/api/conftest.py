"""A real api process on either database, and calls to the protocol without one."""

import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heptad.api.messages import Request
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Context
from heptad.api.mlflow.routes import Router
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import HeptadError
from heptad.core.workspace import Workspace
from heptad.project import open_root
from heptad.serving import SupervisedServer
from tests.core.conftest import new_schema, postgresql_server

__all__ = ["postgresql_server"]


class Calls:
    """Calls of the protocol, answered in this process."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._router = Router(Context(workspace))

    def post(self, path: str, **fields: Any) -> Any:
        return self._ask("POST", path, "", json.dumps(fields).encode())

    def get(self, path: str, query: str = "") -> Any:
        return self._ask("GET", path, query, b"")

    def refused(self, path: str, **fields: Any) -> tuple[str, str]:
        """The code and the message with which a call is refused."""
        with pytest.raises((ProtocolError, HeptadError)) as caught:
            self.post(path, **fields)
        error = caught.value
        return (error.code, error.message) if isinstance(error, ProtocolError) else (type(error).__name__, str(error))

    def experiment(self, name: str = "trials", **fields: Any) -> str:
        return str(self.post("experiments/create", name=name, **fields)["experiment_id"])

    def run(self, experiment: str = "0", **fields: Any) -> str:
        return str(self.post("runs/create", experiment_id=experiment, **fields)["run"]["info"]["run_id"])

    def found(self, experiment: str, **fields: Any) -> list[str]:
        """Names of the runs that a search finds."""
        runs = self.post("runs/search", experiment_ids=[experiment], **fields)["runs"]
        return [run["info"]["run_name"] for run in runs]

    def _ask(self, method: str, path: str, query: str, body: bytes) -> Any:
        path = f"mlflow/{path}"
        reply = self._router.answer(Request(method, path, query, {}, io.BytesIO(body), len(body)), path)
        assert isinstance(reply.body, bytes)
        return json.loads(reply.body)


@pytest.fixture
def calls(workspace: Workspace) -> Calls:
    return Calls(workspace)


class Web:
    """Plain HTTP to a server."""

    def __init__(self, server: SupervisedServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status, and the body as JSON where it is some."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, sent, headers or {})
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        is_json = response.getheader("content-type") == "application/json"
        return response.status, json.loads(said) if is_json else said.decode()

    def post(self, path: str, **fields: Any) -> Any:
        status, body = self("POST", f"/api/2.0/mlflow/{path}", fields)
        assert status == 200, body
        return body

    @property
    def workspace(self) -> Workspace:
        return open_root(self.folder)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A server that tests share; each makes experiments of its own."""
    yield from _of_database(request, tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
def own_web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A server that the test may kill: one that dies several times in a few seconds is not started again."""
    yield from _of_database(request, tmp_path_factory)


def _of_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp(f"api-{request.param}")
    if request.param == "sqlite":
        yield from _serving(folder)
    else:
        with new_schema(request.getfixturevalue("postgresql_server")) as url:
            (folder / "heptad.toml").write_text(f'[project]\nname = "api"\n[store]\nurl = "{url}"\n')
            yield from _serving(folder)


def _serving(folder: Path) -> Iterator[Web]:
    with start_api(ApiOptions(root=str(folder), port=0), folder / "api.log") as server:
        yield Web(server, folder)
