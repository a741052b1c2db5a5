"""A schema registry over HTTP that answers as Confluent's does, and messages in the format that goes with it."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import fastavro


class RegistryServer:
    """Answers `GET /schemas/ids/N` out of `schemas`; `broken` answers in its place while it is set."""

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.subjects: dict[str, int] = {}
        """`SUBJECT/versions/N` to the number of its schema."""
        self.broken: tuple[int, bytes] | None = None
        self.user = ""
        self.asked: list[int] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = registry.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        if self.broken:
            return self.broken
        if self.user and authorization != "Basic " + base64.b64encode(self.user.encode()).decode():
            return 401, json.dumps({"error_code": 401, "message": "Unauthorized"}).encode()
        if path.startswith("/subjects/"):
            number = self.subjects.get(unquote(path.removeprefix("/subjects/")), 0)
        elif path.startswith("/schemas/ids/"):
            number = int(path.rpartition("/")[2])
        else:
            return 404, b"HTTP 404 Not Found"
        self.asked.append(number)
        if number not in self.schemas:
            return 404, json.dumps({"error_code": 40403, "message": f"Schema {number} not found"}).encode()
        return 200, json.dumps(self.schemas[number]).encode()

    def register(self, number: int, schema: Any, **more: Any) -> None:
        self.schemas[number] = {"schema": schema if isinstance(schema, str) else json.dumps(schema), **more}


@contextmanager
def registry_server() -> Iterator[RegistryServer]:
    made = RegistryServer()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def record_of(**fields: Any) -> dict[str, Any]:
    """A schema of these fields, all of which may be missing but whole numbers."""
    return {
        "type": "record",
        "name": "Order",
        "fields": [
            {"name": name, "type": kind} if kind == "long" else {"name": name, "type": ["null", kind], "default": None}
            for name, kind in fields.items()
        ],
    }


def framed(number: int, schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    stream = io.BytesIO(b"\0" + number.to_bytes(4))
    stream.seek(5)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()
