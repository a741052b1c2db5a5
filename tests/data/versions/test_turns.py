"""Collections go on beside each other, and an erasure waits for them and they for it."""

import threading

import pytest

from heptad.core.errors import ConflictError
from heptad.core.workspace import Workspace
from heptad.data.versions.turns import collecting, no_collecting


@pytest.mark.parametrize("first", [no_collecting, collecting])
def test_an_erasure_and_a_collection_exclude_each_other(workspace: Workspace, first) -> None:
    """Whoever is second waits until the first is done."""
    second = collecting if first is no_collecting else no_collecting
    came = threading.Event()

    def wait() -> None:
        with second(workspace):
            came.set()

    with first(workspace):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not came.wait(0.2)
    assert came.wait(60)
    waiting.join()


def test_collections_do_not_wait_for_each_other(workspace: Workspace) -> None:
    """Both are at work at once."""
    with collecting(workspace), collecting(workspace):
        pass


def test_who_does_not_want_to_wait_is_told(workspace: Workspace) -> None:
    """The policy of a worker comes again later."""
    with (
        collecting(workspace),
        pytest.raises(ConflictError, match="is collecting"),
        no_collecting(workspace, wait=False),
    ):
        pass
