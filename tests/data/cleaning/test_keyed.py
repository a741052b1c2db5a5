"""A pseudonym is the same wherever the key is, and a key is long."""

import pytest

from heptad.core.errors import SettingsError
from heptad.data.cleaning.keyed import pseudonym_key, pseudonym_of


def test_pseudonyms_go_by_value_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinned: a version that is made next year has to join with one of today."""
    monkeypatch.setenv("PSEUDONYMS", "a key of more than sixteen characters")
    key = pseudonym_key("${PSEUDONYMS}")
    assert pseudonym_of("17", key) == pseudonym_of("17", pseudonym_key("${PSEUDONYMS}"))
    assert pseudonym_of("17", key) != pseudonym_of("18", key)
    assert len(pseudonym_of("", key)) == 32
    monkeypatch.setenv("PSEUDONYMS", "short")
    with pytest.raises(SettingsError, match="16 or more"):
        pseudonym_key("${PSEUDONYMS}")
