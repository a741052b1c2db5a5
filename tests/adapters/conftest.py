"""Servers that tests of adapters use where they answer."""

import os
from functools import cache

import redis

URL = os.environ.get("HEPTAD_TEST_REDIS", "redis://127.0.0.1:6379/0")


@cache
def where_redis_is() -> str:
    """The address, without a password, of the Redis that answers; empty where none does."""
    try:
        answers = redis.Redis.from_url(URL, socket_connect_timeout=1).ping()
    except redis.RedisError:
        return ""
    return URL.rpartition("@")[2] if answers else ""
