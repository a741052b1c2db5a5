"""Online features in Redis: one place that servers on many machines read."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import redis

from heptad.core.errors import SettingsError, UnavailableError, WorkspaceError
from heptad.core.faults import boundary
from heptad.data import OnlineStore, Pair, checked_pairs

T = TypeVar("T")

SECONDS = 5.0
"""How long to wait for the server."""
_PAGE = 1000
"""Keys in one request, where there may be many."""

_PUT = """
local function is_older(new, stored)
  for at = 1, 16 do
    local a, b = string.byte(new, at), string.byte(stored, at)
    if a ~= b then return a < b end
  end
  return false
end
local rows = tonumber(ARGV[1])
for place, key in ipairs(KEYS) do
  local value = ARGV[place + 1]
  if place > rows then
    redis.call('SET', key, value)
  else
    local stored = redis.call('GETRANGE', key, 0, 15)
    if stored == '' or not is_older(value, stored) then redis.call('SET', key, value) end
  end
end
"""
"""Run by the server as one act. KEYS: rows, then marks; ARGV: how many rows, then the values."""


class RedisStore:
    """`redis://[user:password@]host:port/number`, or `rediss://` with TLS: one server, no cluster.

    What survives an accident of the server is what its own persistence keeps: set `appendfsync always` for all of it.
    """

    def __init__(self, url: str, namespace: str) -> None:
        parts = urlsplit(url)
        self._place = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        self._row, self._mark = f"heptad:{namespace}:row:".encode(), f"heptad:{namespace}:mark:".encode()
        try:
            self._redis: Any = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        except ValueError as error:
            raise SettingsError(
                f"[online] url does not lead to a Redis server at {self._place}.", allowed="redis://host:port/number"
            ) from error
        self._put = self._redis.register_script(_PUT)

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if not keys:
            return []
        found: list[bytes | None] = self._asked(partial(self._redis.mget, [self._row + key for key in keys]))
        return found

    def put(self, rows: Iterable[Pair], marks: Mapping[bytes, bytes] | None = None) -> None:
        given = checked_pairs(rows)
        named = list((marks or {}).items())
        if not given and not named:
            return
        keys = [*(self._row + key for key, _ in given), *(self._mark + name for name, _ in named)]
        values = [value for _, value in (*given, *named)]
        boundary("online.before_commit")
        self._asked(partial(self._put, keys=keys, args=[len(given), *values]))
        boundary("online.after_commit")

    def mark(self, name: bytes) -> bytes:
        return self._asked(partial(self._redis.get, self._mark + name)) or b""

    def scan(self, prefix: bytes) -> Iterator[Pair]:
        for keys in self._pages(self._row + prefix):
            values = self._asked(partial(self._redis.mget, keys))
            for key, value in zip(keys, values, strict=True):
                if value is not None:
                    yield key[len(self._row) :], value

    def delete(self, keys: Iterable[bytes]) -> int:
        return self._removed([self._row + key for key in keys])

    def clear(self, prefix: bytes) -> int:
        cleared = sum(self._removed(keys) for keys in self._pages(self._row + prefix))
        for keys in self._pages(self._mark + prefix):
            self._removed(keys)
        return cleared

    def close(self) -> None:
        self._redis.close()

    def _removed(self, keys: Sequence[bytes]) -> int:
        pages = [keys[start : start + _PAGE] for start in range(0, len(keys), _PAGE)]
        return sum(self._asked(partial(self._redis.unlink, *page)) for page in pages)

    def _pages(self, prefix: bytes) -> Iterator[list[bytes]]:
        """Keys that begin so, each once, though the server may name one twice while it grows."""
        pattern = re.sub(rb"([\\*?\[\]^-])", rb"\\\1", prefix) + b"*"
        seen: set[bytes] = set()
        cursor = 0
        while True:
            cursor, found = self._asked(partial(self._redis.scan, cursor, match=pattern, count=_PAGE))
            new = [key for key in dict.fromkeys(found) if key not in seen]
            seen.update(new)
            if new:
                yield new
            if cursor == 0:
                return

    def _asked(self, ask: Callable[[], T]) -> T:
        """The server's answer; its refusals as errors of ours, without the address, which may hold a password."""
        try:
            return ask()
        except (redis.AuthenticationError, redis.ResponseError) as error:
            raise WorkspaceError(
                f"The Redis server at {self._place} refused: {type(error).__name__}: {error}.",
                remedy="look at [online] url, the rights of its user, and the server's memory",
            ) from error
        except redis.RedisError as error:
            raise UnavailableError(
                f"The Redis server at {self._place} did not answer: {type(error).__name__}.",
                remedy="start it, or look at [online] url",
            ) from error


if TYPE_CHECKING:
    _: type[OnlineStore] = RedisStore
