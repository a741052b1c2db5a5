"""Tags stay where they are; a rollback leaves versions behind and forgets none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError
from heptad.core.workspace import Workspace
from heptad.data import Data, DataSettings, Folders, RemoteSettings
from heptad.data.folders.versions import latest as latest_folder
from heptad.data.versions.marking import ROLLED_BACK, roll_back, tag, tags_of, untag
from heptad.data.versions.versions import find_version, latest, next_number


@pytest.fixture
def data(open_data: Callable[..., Data], write: Callable[..., Path]) -> Data:
    """Three versions of growing height."""
    opened = open_data(DataSettings(target="y"))
    for rows in (2, 4, 6):
        write("a,y\n" + "".join(f"{row}.5,{row % 2}\n" for row in range(rows)))
        opened.collect()
    return opened


def test_a_tag_finds_its_version_until_it_is_taken_away(workspace: Workspace, data: Data) -> None:
    """Names are kept: only an untagged name can be given to another version; doing it again changes nothing."""
    first, second = data.version(1), data.version(2)
    for _ in range(2):
        tag(workspace, first, "gold")
    assert data.version("gold").id == data.version("test@gold").id == first.id
    assert tags_of(data.version(1)) == ["gold"]
    with pytest.raises(RefusedError, match="names another version"):
        tag(workspace, second, "gold")
    for _ in range(2):
        untag(workspace, first, "gold")
    with pytest.raises(NotFoundError, match="no data version 'test@gold'"):
        data.version("gold")
    tag(workspace, second, "gold")
    assert data.version("gold").id == second.id


def test_versions_of_folders_have_tags_of_their_own(workspace: Workspace, data: Data) -> None:
    """They find the version, keep it from being forgotten, and have nothing to do with those of the table."""
    tag(workspace, data.version(1), "gold")
    folders, place = Folders(workspace, RemoteSettings()), workspace.root / "images"
    place.mkdir()
    made = []
    for content in ("one", "two", "three"):
        (place / "a").write_text(content)
        made += [one.version for one in folders.add([place])]
    for _ in range(2):
        tag(workspace, made[0], "gold")
    found = folders.find("images@gold")
    assert found
    assert (found.id, tags_of(found)) == (made[0].id, ["gold"])
    assert data.version("gold").id == data.version(1).id
    with pytest.raises(RefusedError, match="names another version") as told:
        tag(workspace, made[1], "gold")
    assert "heptad data tag images@gold --remove" in told.value.remedy
    with pytest.raises(RefusedError, match="tagged gold"):
        folders.forget(found, "nobody needs it")
    untag(workspace, made[0], "gold")
    tag(workspace, made[1], "gold")
    folders.forget(made[0], "nobody needs it")
    with pytest.raises(NotFoundError, match="forgotten"):
        tag(workspace, made[0], "silver")


def test_a_version_that_is_tagged_while_somebody_forgets_it_is_not_forgotten(workspace: Workspace) -> None:
    """Whoever forgets it has looked at it before it had the tag."""
    folders, place = Folders(workspace, RemoteSettings()), workspace.root / "images"
    place.mkdir()
    (place / "a").write_text("one")
    before = folders.add([place])[0].version
    (place / "a").write_text("two")
    folders.add([place])
    stale = latest_folder(workspace, "images")
    tag(workspace, before, "gold")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heptad.data.folders.versions.latest", lambda *_: stale)
        with pytest.raises(ConflictError):
            folders.forget(before, "nobody needs it")
    assert folders.find("images@gold") is not None


@pytest.mark.parametrize("name", ["latest", "3", "", "Gold", "a b", "../x", "a" * 64])
def test_what_could_be_taken_for_something_else_is_no_tag(workspace: Workspace, data: Data, name: str) -> None:
    """A tag is no number, no alias of ours and no path."""
    with pytest.raises(InputError, match="cannot be a tag"):
        tag(workspace, data.version(1), name)


def test_a_rollback_leaves_versions_behind(workspace: Workspace, data: Data, write: Callable[..., Path]) -> None:
    """The earlier one is the latest, the others keep rows, number and the reason; the next has a new number."""
    for _ in range(2):
        roll_back(workspace, data.version(1), "the supplier sent test rows")
    assert latest(workspace, "test") == data.version(1)
    assert [ROLLED_BACK in one.attributes for one in data.log()] == [True, True, False]
    assert data.scan(data.version(3)).collect().height == 6
    with pytest.raises(RefusedError, match="the supplier sent test rows"):
        roll_back(workspace, data.version(2), "this one was fine after all")
    again = data.collect()
    assert (again.body.version, again.body.rows, next_number(workspace, "test")) == (4, 6, 5)
    write("a,y\n1.5,1\n0.5,0\n7.5,1\n")
    last = data.collect()
    assert data.scan(last).collect().height == last.body.rows == 3
    heights = [data.scan(find_version(workspace, "test", number)).collect().height for number in range(1, 6)]
    assert heights == [2, 4, 6, 6, 3]


def test_a_rollback_says_why(workspace: Workspace, data: Data) -> None:
    """Without a reason nothing moves; the event names what was left behind."""
    with pytest.raises(InputError, match="is no reason"):
        roll_back(workspace, data.version(1), "oops")
    roll_back(workspace, data.version(2), "labels of the last month are wrong")
    event = workspace.store.follow(0, ["data.version_rolled_back"])[-1]
    assert event.body["left_behind"] == [3]
    assert event.subject == data.version(2).id
