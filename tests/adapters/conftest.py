"""Servers that tests of adapters use where they answer."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache

import httpx
import pytest
import redis
from obstore.store import S3Store

URL = os.environ.get("HEPTAD_TEST_REDIS", "redis://127.0.0.1:6379/0")


@cache
def where_redis_is() -> str:
    """The address, without a password, of the Redis that answers; empty where none does."""
    try:
        answers = redis.Redis.from_url(URL, socket_connect_timeout=1).ping()
    except redis.RedisError:
        return ""
    return URL.rpartition("@")[2] if answers else ""


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of moto's S3 server, a process of its own."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    port = ""
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            port = found[1]
            break
    assert port, "moto's server did not start"
    threading.Thread(target=process.stderr.read, daemon=True).start()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
    process.stderr.close()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-sesame")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def bucket(endpoint: str, credentials: None) -> S3Store:
    """An empty bucket."""
    name = f"b{os.urandom(6).hex()}"
    assert httpx.put(f"{endpoint}/{name}").status_code == 200
    return S3Store(name, endpoint=endpoint, client_options={"allow_http": True})


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which nobody waits for here."""
    waited: list[float] = []
    here, sleep = threading.get_ident(), time.sleep

    def pause(seconds: float) -> None:
        if threading.get_ident() == here:
            waited.append(seconds)
        else:  # another thread, as the one that ships runs, sleeps on
            sleep(seconds)

    monkeypatch.setattr(time, "sleep", pause)
    return waited
