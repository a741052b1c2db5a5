"""What keys and values may be."""

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.limits import check_key, check_page


@pytest.mark.parametrize("key", ["loss", "a/b c.d-e_f:g", "größe ✓"[:5], "x" * 250])
def test_keys_of_the_protocol(key: str) -> None:
    """Letters of any script, digits, and a few signs."""
    check_key(key, "key")


@pytest.mark.parametrize("key", ["", "x" * 251, "a\x00b", "../up", "/root", "a//b", "a/./b", ".", "a#b", "a\nb"])
def test_keys_that_are_refused(key: str) -> None:
    """Other signs, too long, or another way to write a path; the message says which field."""
    with pytest.raises(ProtocolError, match=r"metrics\[3\]\.key"):
        check_key(key, "key", "metrics", 3)


@pytest.mark.parametrize("asked", [0, -1, 50_001])
def test_pages_have_a_limit(asked: int) -> None:
    """Below 1 and above 50,000."""
    with pytest.raises(ProtocolError, match="max_results"):
        check_page(asked)
