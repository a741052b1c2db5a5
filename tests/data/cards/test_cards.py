"""What `[card]` states is kept beside versions and makes none."""

from collections.abc import Callable

import polars as pl
import pytest
from tests.data.conftest import Open

from heptad.core.errors import NotFoundError
from heptad.core.workspace import Workspace
from heptad.data import CardColumn, CardSettings, Data, DataSettings, to_markdown
from heptad.data.cards.cards import Cards

ROWS = pl.DataFrame({"k": range(40), "x": [0.5 * n for n in range(40)], "y": ["a", "b"] * 20})
SETTINGS = DataSettings(target="y", key=["k"])


@pytest.fixture
def carded(open_data: Open, workspace: Workspace) -> Callable[..., Data]:
    """Step 1 with a card that says this."""

    def opened(**said: object) -> Data:
        data = open_data(SETTINGS)
        data.cards = Cards(workspace, data._project, CardSettings(**said))  # type: ignore[arg-type]
        return data

    return opened


def test_a_new_owner_makes_no_version(carded: Callable[..., Data], write: Callable[..., object]) -> None:
    """The rows are what they were; who answers for them is a statement of its own, with its time and actor."""
    write(ROWS)
    first = carded(owner="Ann").collect()
    again = carded(owner="Bob").collect()
    assert again.id == first.id
    stated = carded().cards.stated(first)
    assert stated is not None
    assert stated.body.stated.owner == "Bob"
    assert stated.actor


def test_saying_the_same_again_writes_nothing(
    carded: Callable[..., Data], write: Callable[..., object], workspace: Workspace
) -> None:
    """And nothing stated is no statement."""
    write(ROWS)
    version = carded().collect()
    assert carded().cards.stated(version) is None
    for owner in ("Ann", "Ann", "Bob", "Ann"):
        carded(owner=owner).collect()
    events = [one for one in workspace.store.follow(0) if one.kind == "data.card_stated"]
    assert len(events) == 3
    stated = carded().cards.stated(version)
    assert stated is not None
    assert stated.body.stated.owner == "Ann"


def test_an_earlier_version_keeps_what_was_stated_of_it(
    carded: Callable[..., Data], write: Callable[..., object]
) -> None:
    """The licence of the day on which it was collected, not that of today."""
    write(ROWS)
    old = carded(licence="MIT").collect()
    write(pl.concat([ROWS, ROWS.with_columns(pl.col("k") + 100)]))
    data = carded(licence="CC0")
    new = data.collect()
    assert new.id != old.id
    assert "Licence: MIT." in to_markdown(data.cards.card(old, data.profile(old)))
    assert "Licence: CC0." in to_markdown(data.cards.card(new, data.profile(new)))


def test_the_latest_card_says_what_the_settings_say_now(
    carded: Callable[..., Data], write: Callable[..., object]
) -> None:
    """Without collecting again."""
    write(ROWS)
    version = carded(owner="Ann").collect()
    data = carded(owner="Bob")
    assert "Owner: Bob." in to_markdown(data.cards.card(version, data.profile(version)))


def test_a_column_that_does_not_exist_is_refused(carded: Callable[..., Data], write: Callable[..., object]) -> None:
    """With the nearest name."""
    write(ROWS)
    data = carded(columns={"xx": CardColumn(about="?")})
    version = data.collect()
    with pytest.raises(NotFoundError, match="'xx'"):
        data.cards.card(version, data.profile(version))


def test_users_are_counted_by_kind(carded: Callable[..., Data], write: Callable[..., object]) -> None:
    """Later versions and statements are no users."""
    write(ROWS)
    data = carded(owner="Ann")
    version = data.collect()
    write(pl.concat([ROWS, ROWS.with_columns(pl.col("k") + 100)]))
    data.collect()
    assert "Nothing was made with this version yet." in to_markdown(data.cards.card(version, data.profile(version)))
