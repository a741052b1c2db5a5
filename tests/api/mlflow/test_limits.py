"""What keys and values may be."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.limits import check_key, check_page, check_tags, cut
from heptad.api.mlflow.protocol import Tag


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


@given(st.lists(st.text(max_size=12), max_size=4), st.integers(1, 8))
def test_what_is_longer_is_cut_and_nothing_else_changes(values: list[str], most: int) -> None:
    """Each keeps its place and its beginning; cutting again changes nothing, so the same value is the same again."""
    tags = [Tag(key=f"k{place}", value=value) for place, value in enumerate(values)]
    found = cut(tags, most, "tag")
    assert [one.key for one in found] == [one.key for one in tags]
    assert [one.value for one in found] == [value if len(value) <= most else value[:most] for value in values]
    assert cut(found, most, "tag") == found


def test_the_log_says_what_was_cut(caplog: pytest.LogCaptureFixture) -> None:
    """The key and both lengths, and not the value, which may be anything."""
    with caplog.at_level(logging.WARNING, "heptad.api"):
        cut([Tag(key="features", value="secret"), Tag(key="short", value="s")], 5, "parameter")
    assert caplog.messages == ["The parameter 'features' has 6 characters and is cut to 5."]


def test_tags_are_refused_for_their_length_only_where_there_is_a_limit() -> None:
    """Those of experiments have one."""
    long = [Tag(key="a", value="x" * 20_001)]
    check_tags(long)
    with pytest.raises(ProtocolError, match=r"tags\[0\]\.value exceeds the maximum length of 20000"):
        check_tags(long, 20_000)
