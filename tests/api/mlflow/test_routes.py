"""The table of the protocol."""

import io

import pytest

from heptad.api.messages import Reply, Request
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Call, Context, Route
from heptad.api.mlflow.routes import ROUTES, Router
from heptad.core.workspace import Workspace


class Named(Call, frozen=True, kw_only=True):
    name: str = ""


def ask(router: Router, method: str, path: str) -> Reply:
    return router.answer(Request(method, path, "", {}, io.BytesIO(), 0), path)


def test_names_in_a_path_are_fields_of_the_call(workspace: Workspace) -> None:
    """One segment, or all that follows; a route without a call gets the request itself."""
    router = Router(
        Context(workspace),
        [
            Route("GET", "things/{name}", Named, lambda _, call: {"one": call.name}),
            Route("GET", "files/{path...}", None, lambda _, request: Reply(201, (), request.captured["path"].encode())),
        ],
    )
    assert ask(router, "GET", "things/a b").body == b'{"one":"a b"}'
    assert ask(router, "GET", "files/a/../b\n").body == b"a/../b\n"
    for method, path, status in (("GET", "things/a/b", 404), ("POST", "things/a", 405), ("GET", "things/", 404)):
        with pytest.raises(ProtocolError) as caught:
            ask(router, method, path)
        assert caught.value.status == status


def test_no_call_has_two_answers() -> None:
    """Each method and path is in the table once."""
    assert len({(one.method, one.path) for one in ROUTES}) == len(ROUTES)
