"""Whatever is sent to any call: an answer or a refusal, never a failure of the server, never another's file."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from heptad.api.mlflow.errors import ProtocolError, translated
from heptad.api.mlflow.protocol import Route
from heptad.api.mlflow.routes import ROUTES
from heptad.core.errors import HeptadError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from tests.api.mlflow.asking import Asker

SECRET = b"the file of a run whose id nobody is told"
RAW = ["path", "num_parts", "upload_id", "parts", "run_id", "run_uuid", "name", "version"]
"""Fields of the calls that read their requests themselves."""
PHRASES = ["iris", "1", "RUN", "MODEL", "runs:/RUN/m", "models:/MODEL", "models:/iris/1", "name = 'a'", "best", "0"]
PHRASES += ["mlflow-artifacts:/0/RUN/artifacts/x", "../x", "name DESC", "None", "LOGGED_MODEL_READY", "//[", "a#b", "%"]
PHRASES += ["metrics.m > 0.5", "params.p = '3' AND tags.t LIKE '%'", "metrics.m DESC", "mlflow.runName", "NaN", "{}"]
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(PHRASES))
NUMBERS = st.one_of(st.integers(-2, 1000), st.integers(), st.floats())
ANYTHING = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
PLAIN = {inspect.StrType: TEXTS, inspect.IntType: NUMBERS, inspect.FloatType: NUMBERS}


def fitting(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a field's type, else nothing behind the decoding would ever be reached; and some of any other."""
    match kind:
        case inspect.LiteralType(values):
            return st.sampled_from(values)
        case inspect.ListType(item):
            return st.lists(fitting(item), max_size=3)
        case inspect.UnionType(types):
            return st.one_of(*map(fitting, types))
        case inspect.StructType():
            return struct_of(kind)
        case _:
            return PLAIN.get(type(kind), ANYTHING)


def struct_of(kind: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    fields = {one.encode_name: st.one_of(fitting(one.type), fitting(one.type), ANYTHING) for one in kind.fields}
    return st.fixed_dictionaries({}, optional=fields)


def calls_of(route: Route) -> st.SearchStrategy[tuple[Route, Any]]:
    if route.takes is None:
        return st.tuples(st.just(route), st.dictionaries(st.sampled_from(RAW), ANYTHING, max_size=4))
    kind = inspect.type_info(route.takes)
    assert isinstance(kind, inspect.StructType)
    return st.tuples(st.just(route), st.one_of(struct_of(kind), struct_of(kind), ANYTHING))


CALLS = {route: calls_of(route) for route in ROUTES}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    asker = Asker(open_workspace(tmp_path_factory.mktemp("garbage"), "test", StoreSettings()))
    asker("POST", "registered-models/create", name="iris")
    asker.keep(asker.run(), "secret", SECRET)
    return asker


@pytest.fixture(scope="module")
def owners(ask: Asker) -> tuple[str, str]:
    """A run and a logged model, whose ids are told."""
    return ask.run(), ask.model()


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(call=st.sampled_from(ROUTES).flatmap(CALLS.__getitem__), part=TEXTS)
def test_no_call_makes_the_server_fail(ask: Asker, owners: tuple[str, str], call: tuple[Route, Any], part: str) -> None:
    """Fields of the right type and of any other, ids of others, paths of any text, and what is no object at all."""
    route, given_fields = call
    run, model = owners
    sent = json.dumps(given_fields).replace("RUN", run).replace("MODEL", model)
    part = part.replace("RUN", run).replace("MODEL", model)
    path = "/".join(part or "x" if piece.startswith("{") else piece for piece in route.path.split("/"))
    fields = json.loads(sent) if isinstance(given_fields, dict) else {}
    query = "&".join(f"{_quoted(key)}={_quoted(one)}" for key, some in fields.items() for one in _several(some))
    status, body = _answered(ask, route.method, path, sent.encode(), query)
    assert status < 500
    assert SECRET not in body


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _quoted(value: Any) -> str:
    return quote(str(value), errors="replace")


def _answered(ask: Asker, method: str, path: str, body: bytes, query: str) -> tuple[int, bytes]:
    try:
        reply = ask.raw(method, path, body, query)
    except ProtocolError as error:
        return error.status, b""
    except HeptadError as error:
        return translated(error).status, b""
    return reply.status, reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
