"""Pseudonyms as keyed hashes of texts, and what stands for hidden characters: shared by tables and single rows."""

from blake3 import blake3

from heptad.core.errors import SettingsError
from heptad.core.secrets import reveal

SHORTEST_KEY = 16
"""Characters; a shorter key could be tried out."""
_LENGTH = 16
"""Bytes of a pseudonym: among a billion people, two have the same one with a chance of 1 in 10**21."""
HIDDEN = "****"


def pseudonym_of(text: str, key: bytes) -> str:
    """What stands for a value under a key of 32 bytes."""
    return blake3(text.encode(), key=key).hexdigest(_LENGTH)


def pseudonym_key(setting: str) -> bytes:
    """The key of 32 bytes that a setting such as `${PSEUDONYMS}` names; raises `SettingsError` for a short one."""
    secret = reveal(setting)
    if len(secret) < SHORTEST_KEY:
        raise SettingsError(
            f"The key {setting} of pseudonyms has {len(secret)} characters.",
            allowed=f"{SHORTEST_KEY} or more",
            remedy="make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return blake3(secret.encode(), derive_key_context="heptad pseudonyms 1").digest()
