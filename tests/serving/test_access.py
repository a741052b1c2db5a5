"""Who may talk to a server on loopback."""

import pytest

from heptad.core.errors import InputError, RequestError
from heptad.serving.access import check_access, check_bind, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_is_recognised(host: str) -> None:
    """Names and addresses that always mean this machine are fine to listen on."""
    assert is_loopback(host)
    check_bind(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "localhost.example.org", ""])
def test_listening_where_others_can_reach_it_is_refused(host: str) -> None:
    """Without encryption and tokens a server listens on loopback only."""
    with pytest.raises(InputError, match="without a password"):
        check_bind(host)


@pytest.mark.parametrize("authority", ["localhost:8321", "127.0.0.1:9000", "[::1]:8321", "127.0.0.1"])
def test_programs_of_this_machine_may_ask(authority: str) -> None:
    """Whatever port it was reached by, and also a page that the server itself gave."""
    check_access(authority, None)
    check_access(authority, f"http://{authority}")


@pytest.mark.parametrize(
    "authority", ["", "evil.example:8321", "127.0.0.1.evil.example", "[", "localhost@evil.example"]
)
def test_a_rebound_name_is_refused(authority: str) -> None:
    """A page whose name was made to mean 127.0.0.1 still says its own name."""
    with pytest.raises(RequestError) as caught:
        check_access(authority, None)
    assert (caught.value.status, caught.value.field) == (403, "host")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", ""])
def test_a_page_of_another_site_is_refused(origin: str) -> None:
    """Browsers say which page asks; only our own may."""
    with pytest.raises(RequestError) as caught:
        check_access("localhost:8321", origin)
    assert (caught.value.status, caught.value.field) == (403, "origin")
