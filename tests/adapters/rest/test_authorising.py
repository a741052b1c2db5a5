"""Requests carry what lets them in, and messages do not."""

from collections.abc import Callable

import pytest
from tests.adapters.rest.conftest import Api, reply

from heptad.core.errors import DataError
from heptad.data import Source


def test_a_refused_client_is_told_without_its_secret(
    api: Api, open_api: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the settings to look at; an answer that is no token is no token."""
    monkeypatch.setenv("SECRET", "sesame-1")
    api.trouble = lambda handler, _: reply(handler, 500)
    oauth = {"auth": "oauth2", "token_url": f"{api.url}/token", "client_id": "me", "client_secret": "${SECRET}"}

    def refuse(handler: object) -> None:
        reply(handler, 401, {"error": "invalid_client"})

    monkeypatch.setattr(api.server.RequestHandlerClass, "do_POST", refuse)
    with pytest.raises(DataError, match=r"/token gave no token .*\(401\)") as raised:
        open_api(**oauth).digest()
    assert "sesame" not in str(raised.value)
    monkeypatch.setattr(api.server.RequestHandlerClass, "do_POST", lambda handler: reply(handler, 200, b"<html>"))
    with pytest.raises(DataError, match="gave no token"):
        open_api(**oauth).digest()
