"""Everything that is done has an actor."""

import getpass
import os
import threading
from collections.abc import Iterator

import pytest

from heptad.core import identity
from heptad.core.identity import acting_as, current_actor


@pytest.fixture
def unknown_user() -> Iterator[None]:
    """The system is asked for the user once; here it is asked anew, and again afterwards."""
    identity._os_user.cache_clear()
    yield
    identity._os_user.cache_clear()


def test_without_a_word_it_is_the_user_of_the_system() -> None:
    """The actor is the user who runs the program."""
    assert current_actor() == f"user:{getpass.getuser()}"


@pytest.mark.usefixtures("unknown_user")
def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container that runs under a number the number stands for the name."""

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert current_actor() == f"user:{os.getuid()}"


def test_a_block_acts_in_another_name() -> None:
    """Inside the block the other acts, also nested, and afterwards whoever acted before, also after an error."""
    before = current_actor()
    with acting_as("plan:p-1"):
        assert current_actor() == "plan:p-1"
        with acting_as("token:ci"):
            assert current_actor() == "token:ci"
        assert current_actor() == "plan:p-1"
    with pytest.raises(ValueError, match="x"), acting_as("plan:p-2"):
        raise ValueError("x")
    assert current_actor() == before


def test_threads_do_not_share_their_actor() -> None:
    """Another thread acts in its own name."""
    seen: list[str] = []
    with acting_as("plan:p-1"):
        thread = threading.Thread(target=lambda: seen.append(current_actor()))
        thread.start()
        thread.join()
    assert seen == [f"user:{getpass.getuser()}"]
