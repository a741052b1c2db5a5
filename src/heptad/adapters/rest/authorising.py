"""What lets a request in: a bearer token, a user and password, an API key, or a token that is had and renewed."""

import time

import httpx
import msgspec

from heptad.adapters.http_attempts import refuse_passing, repeated
from heptad.core.errors import DataError, SettingsError
from heptad.core.secrets import reveal
from heptad.data import RestSettings, SourceSettings, refuse_secrets_in, reveal_all

EARLY = 0.1
"""A token is renewed before its last tenth, so that none ends on its way."""
_NEEDED = {
    "bearer": ("token",),
    "basic": ("user", "password"),
    "key": ("key",),
    "oauth2": ("token_url", "client_id", "client_secret"),
}


class Authorising:
    """Adds to requests what `[sources.NAME.rest] auth` says; secrets are revealed here and kept in memory only.

    Raises `SettingsError` for what is lacking or written out.
    """

    def __init__(self, settings: SourceSettings) -> None:
        rest = settings.rest
        lacking = [name for name in _NEEDED.get(rest.auth, ()) if not getattr(rest, name)]
        if lacking:
            raise SettingsError(
                f'[sources.NAME.rest] auth = "{rest.auth}" needs {", ".join(lacking)}.',
                remedy=f'set it: {lacking[0]} = "${{SOME_NAME}}"',
            )
        refuse_secrets_in(rest.token_url)
        given = {name: getattr(rest, name) for names in _NEEDED.values() for name in names}
        url = reveal(given.pop("token_url"))
        self._values = {"token_url": url} | reveal_all(given, "rest")
        self._settings = settings
        self._rest: RestSettings = rest
        self._token = self._values["token"]
        self._until = float("inf")

    @property
    def secrets(self) -> list[str]:
        """What no message may hold."""
        values = self._values
        return [values[name] for name in ("token", "password", "key", "client_secret") if values[name]] + [self._token]

    def authorise(self, client: httpx.Client, request: httpx.Request) -> None:
        """Add what lets the request in, after getting a token where there is none, or it ends soon."""
        auth, values = self._rest.auth, self._values
        if auth == "oauth2" and (not self._token or time.monotonic() >= self._until):
            self._renew(client)
        if auth in {"bearer", "oauth2"}:
            request.headers["Authorization"] = f"Bearer {self._token}"
        elif auth == "basic":
            made = next(httpx.BasicAuth(values["user"], values["password"]).auth_flow(request))
            request.headers["Authorization"] = made.headers["Authorization"]
        elif auth == "key" and self._rest.key_in == "header":
            request.headers[self._rest.key_name] = values["key"]
        elif auth == "key":
            request.url = request.url.copy_set_param(self._rest.key_name, values["key"])

    def forget(self) -> bool:
        """Forget a token that the server did not take; whether another can be had."""
        had = self._rest.auth == "oauth2" and bool(self._token)
        self._token = "" if had else self._token
        return had

    def _renew(self, client: httpx.Client) -> None:
        values = self._values
        form = {"grant_type": "client_credentials"} | ({"scope": self._rest.scope} if self._rest.scope else {})
        basic = httpx.BasicAuth(values["client_id"], values["client_secret"])

        def attempt() -> httpx.Response:
            response = client.post(values["token_url"], data=form, auth=basic, headers={"Accept": "application/json"})
            refuse_passing(response)
            return response

        response = repeated(attempt, self._settings, self.secrets)
        try:
            granted = msgspec.json.decode(response.content, type=_Granted) if response.is_success else None
        except msgspec.DecodeError:
            granted = None
        if granted is None:
            raise DataError(
                f"{self._rest.token_url} gave no token for {self._settings.uri} ({response.status_code}).",
                allowed="client credentials that it knows",
                remedy="look at [sources.NAME.rest] token_url, client_id, client_secret and scope",
            )
        self._token = granted.access_token
        self._until = time.monotonic() + (1 - EARLY) * granted.expires_in if granted.expires_in else float("inf")


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float | None = None
