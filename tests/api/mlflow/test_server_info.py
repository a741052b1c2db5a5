"""What the server says of itself."""

from heptad.api.mlflow.server_info import VERSION
from tests.api.conftest import Calls


def test_it_claims_nothing_that_it_does_not_offer(calls: Calls) -> None:
    """Clients ask before they use presigned or multipart transfers."""
    info = calls.get("server-info")
    assert info["store_type"] == "SqlStore"
    assert VERSION.startswith("3.17")
    assert not info["workspaces_enabled"]
