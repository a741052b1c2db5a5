"""Secrets of sources are names in settings, and nothing in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import SettingsError
from heptad.data.sources.credentials import refuse_secrets_in, reveal_all, without_secrets


def test_secrets_are_names_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are looked up; what is no secret may stand as it is."""
    monkeypatch.setenv("KEY", "sesame")
    assert reveal_all({"access_key_id": "${KEY}", "region": "x", "skip_signature": "true"}, "options") == {
        "access_key_id": "sesame",
        "region": "x",
        "skip_signature": "true",
    }


@pytest.mark.parametrize(
    "name", ["secret_access_key", "token", "Authorization", "sas_token", "account_key", "X-Api-Key"]
)
def test_a_secret_that_is_written_out_is_refused(name: str) -> None:
    """The message has its name and not its value."""
    with pytest.raises(SettingsError, match=name) as error:
        reveal_all({name: "sesame"}, "options")
    assert "sesame" not in str(error.value)


def test_addresses_hold_no_secret() -> None:
    """Nor may a signed address be settings; monkeys and tokens as paths are fine."""
    for uri in ("https://me:sesame@h/t.csv", "https://h/t.csv?a=1&sig=sesame", "https://h/t?X-Amz-Signature=sesame"):
        with pytest.raises(SettingsError, match="recorded") as error:
            refuse_secrets_in(uri)
        assert "sesame" not in str(error.value)
    for uri in ("https://me:${PASSWORD}@h/t.csv", "https://h/tokens/t.csv?monkey=1&sig=${SIG}", "s3://b/k*.csv"):
        refuse_secrets_in(uri)


@given(st.text("abcdef", min_size=4), st.text("xyz .", max_size=20))
def test_messages_lose_secrets_and_addresses(secret: str, around: str) -> None:
    """Wherever they stand in a library's text."""
    told = without_secrets(f"{around}{secret}\n{around} at http://h/t?sig=1 {secret}", [secret])
    assert secret not in told
    assert "http" not in told
    assert "\n" not in told
