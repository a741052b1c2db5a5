"""A real API on loopback that a test misuses: pages of every kind, tokens that end, and trouble."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from heptad.data import Place, RestSettings, Source, SourceSettings, open_source


class Api:
    """Answers with `rows` by `answer`; `trouble` may answer a request in its place."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [{"number": x, "name": f"n{x}"} for x in range(7)]
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.answer: Callable[[dict[str, str]], tuple[Any, dict[str, str]]] = lambda _: (self.rows, {})
        self.trouble: Callable[[Any, int], bool] = lambda _handler, _count: False
        self.tokens: list[str] = []
        self.granted = 0
        self.lasting = 3600.0
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                api.requests.append((parts.path, asked, dict(self.headers)))
                if not api.trouble(self, len(api.requests)):
                    body, headers = api.answer(asked)
                    reply(self, 200, body, **headers)

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                api.tokens.append(f"{self.headers.get('Authorization')} {form}")
                api.granted += 1
                reply(self, 200, {"access_token": f"token-{api.granted}", "expires_in": api.lasting})

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def asked(self, name: str) -> list[str | None]:
        return [one.get(name) for _, one, _ in self.requests]


def reply(handler: Any, status: int, body: Any = None, **headers: str) -> bool:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(content))} | given).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)
    return True


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def open_api(api: Api, tmp_path: Path) -> Callable[..., Source]:
    """The API as a source; what is not a setting of `rest` is one of the source."""

    def opened(path: str = "/orders", **settings: Any) -> Source:
        rest = {
            name: settings.pop(name)
            for name in list(settings)
            if name in RestSettings.__struct_fields__ and name != "key"
        }
        if "api_key" in settings:
            rest["key"] = settings.pop("api_key")
        made = {"timeout": "5s", "refresh": "1ms", **settings, "rest": RestSettings(**rest)}
        return open_source(
            SourceSettings(uri=f"rest:{api.url}{path}", **made), Place(root=tmp_path, cache=tmp_path / "cache")
        )

    return opened
