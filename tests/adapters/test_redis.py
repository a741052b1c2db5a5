"""Redis is an online store; runs against the server on loopback, or the one that HEPTAD_TEST_REDIS names."""

import secrets
import socket
from collections.abc import Generator

import pytest
from tests.adapters.conftest import URL, where_redis_is

from heptad.adapters.redis import RedisStore
from heptad.core.errors import SettingsError, UnavailableError, WorkspaceError
from heptad.testing.online_contract import OnlineStoreContract, Open

needs_redis = pytest.mark.skipif(not where_redis_is(), reason="no Redis answers")


@needs_redis
class TestRedisStore(OnlineStoreContract):
    @pytest.fixture
    def open_store(self) -> Generator[Open]:
        mark = secrets.token_hex(6)
        yield lambda namespace: RedisStore(URL, f"test-{mark}-{namespace}")
        for namespace in ("test", "other"):
            RedisStore(URL, f"test-{mark}-{namespace}").clear(b"")


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    """The error can be retried, says where, and never says the password, in its causes neither."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = RedisStore(f"redis://me:sesame@127.0.0.1:{port}/0", "test")
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port} did not answer") as caught:
        store.get([b"k"])
    chain = [caught.value, caught.value.__cause__, caught.value.__cause__.__context__ if caught.value.__cause__ else ""]
    assert all("sesame" not in str(one) for one in chain)


@needs_redis
def test_a_server_that_refuses_is_quoted() -> None:
    """A wrong password is no accident that passes."""
    store = RedisStore(URL.replace("redis://", "redis://nobody:sesame@", 1), "test")
    with pytest.raises(WorkspaceError, match="refused") as caught:
        store.get([b"k"])
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("number", ["x", "-1x"])
def test_an_address_that_cannot_be_used_is_refused(number: str) -> None:
    """What does not lead to a server is a mistake in the settings."""
    with pytest.raises(SettingsError, match=r"\[online\] url") as caught:
        RedisStore(f"redis://me:sesame@host:6379/0?socket_timeout={number}", "test")
    assert "sesame" not in str(caught.value)
