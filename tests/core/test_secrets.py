"""Secrets: names in settings, values only where they are used."""

import pytest

from heptad.core.errors import SettingsError
from heptad.core.secrets import holds_secret, reveal


def test_a_name_is_replaced_by_the_environment_s_value() -> None:
    """Every `${NAME}` in a text is looked up, the rest stays."""
    assert (
        reveal("postgresql://me:${WORD}@${HOST}/db", {"WORD": "sesame", "HOST": "here"})
        == "postgresql://me:sesame@here/db"
    )
    assert reveal("plain", {}) == "plain"


def test_a_name_that_is_not_set_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to export; it never shows another value."""
    monkeypatch.delenv("HEPTAD_NO_SUCH", raising=False)
    with pytest.raises(SettingsError, match="export HEPTAD_NO_SUCH"):
        reveal("${HEPTAD_NO_SUCH}")


def test_whether_a_text_holds_a_secret() -> None:
    """Only the form `${NAME}` counts."""
    assert holds_secret("x ${A_1} y")
    assert not holds_secret("$A {B} ${} ${1}")
