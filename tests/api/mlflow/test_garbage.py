"""Whatever is sent to models, versions and artifacts: an answer or a refusal, never a failure of the server."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.api.mlflow import artifacts, logged_models, model_versions, multipart, registered_models
from heptad.api.mlflow.errors import ProtocolError, translated
from heptad.core.errors import HeptadError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from tests.api.mlflow.asking import Asker

ROUTES = [
    *artifacts.ROUTES,
    *multipart.ROUTES,
    *logged_models.ROUTES,
    *registered_models.ROUTES,
    *model_versions.ROUTES,
]
NAMES = [
    "name",
    "new_name",
    "version",
    "alias",
    "stage",
    "stages",
    "key",
    "value",
    "tags",
    "params",
    "source",
    "run_id",
]
NAMES += ["model_id", "status", "filter", "order_by", "max_results", "page_token", "experiment_ids", "experiment_id"]
NAMES += [
    "path",
    "num_parts",
    "upload_id",
    "parts",
    "description",
    "datasets",
    "source_run_id",
    "archive_existing_versions",
]
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["iris", "1", "RUN", "MODEL", "runs:/RUN/m", "models:/MODEL", "models:/iris/1", "name = 'a'", "best"]
    ),
    st.sampled_from(
        ["mlflow-artifacts:/0/RUN/artifacts/x", "../x", "name DESC", "None", "LOGGED_MODEL_READY", "//[", "0"]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    asker = Asker(open_workspace(tmp_path_factory.mktemp("garbage"), "test", StoreSettings()))
    asker("POST", "registered-models/create", name="iris")
    return asker


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(route=st.sampled_from(ROUTES), fields=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6), part=TEXTS)
def test_no_call_makes_the_server_fail(ask: Asker, route: Any, fields: dict[str, Any], part: str) -> None:
    """Known fields with values of any type, ids of others, paths of any text."""
    run, model = _owners(ask)
    sent = json.dumps(fields).replace("RUN", run).replace("MODEL", model)
    part = part.replace("RUN", run).replace("MODEL", model)
    path = "/".join(part or "x" if piece.startswith("{") else piece for piece in route.path.split("/"))
    query = "&".join(f"{key}={quote(str(value), errors='replace')}" for key, value in json.loads(sent).items())
    assert _status(ask, route.method, path, sent.encode(), query) < 500


def _status(ask: Asker, method: str, path: str, body: bytes, query: str) -> int:
    try:
        reply = ask.raw(method, path, body, query)
        list(reply.body)
    except ProtocolError as error:
        return error.status
    except HeptadError as error:
        return translated(error).status
    return reply.status


_made: dict[str, tuple[str, str]] = {}


def _owners(ask: Asker) -> tuple[str, str]:
    if "both" not in _made:
        _made["both"] = ask.run(), ask.model()
    return _made["both"]
