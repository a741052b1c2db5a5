"""Requests and replies."""

from heptad.api.messages import Reply


def test_a_reply_is_an_empty_object_unless_it_says_otherwise() -> None:
    """As the protocol answers what has nothing to say."""
    assert Reply() == (200, (("content-type", "application/json"),), b"{}")
