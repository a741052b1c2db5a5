"""Artifacts without a record go, and only those."""

import os
import time
from datetime import timedelta

import pytest

from heptad.core.flow import Flow
from heptad.core.garbage import DROPPED, collect_garbage, unreferenced
from heptad.core.records import Attribute, Change, Record
from heptad.core.workspace import Workspace


def age(workspace: Workspace) -> None:
    """Make every artifact two days old."""
    before = time.time() - 2 * 86_400
    for digest in workspace.blobs.digests():
        os.utime(workspace.folder / "artifacts" / digest[:2] / digest[2:], (before, before))


def note(workspace: Workspace, identity: str, kind: str, **body: object) -> None:
    record = Record(id=identity, kind=kind, scope="s", at=workspace.clock.now(), actor="user:me", body=body)
    workspace.store.write(Change(records=[record]))


def test_what_no_record_mentions_is_found_and_removed(workspace: Workspace) -> None:
    """Artifacts named in bodies or attributes of records of any kind stay; the bytes of the others are freed."""
    put = workspace.blobs.put
    first, second, third, lost = put(b"first"), put(b"second"), put(b"third"), put(b"lost!")
    note(workspace, "a-1", "one", deep={"list": [first]})
    note(workspace, "b-1", "two", text=f"see artifact {second}.")
    workspace.store.write(Change(attributes=[Attribute("b-1", "attached", third)]))
    age(workspace)
    assert unreferenced(workspace) == [lost]
    looked = collect_garbage(workspace, dry_run=True)
    assert (looked.digests, looked.bytes) == ([lost], 5)
    assert collect_garbage(workspace) == looked
    assert set(workspace.blobs.digests()) == {first, second, third}
    assert collect_garbage(workspace).digests == []


def test_young_artifacts_wait_for_their_record(workspace: Workspace) -> None:
    """An artifact of an act that is not done yet is not taken, however often the garbage is collected."""
    digest = workspace.blobs.put(b"its record comes in a moment")
    assert collect_garbage(workspace).digests == []
    assert unreferenced(workspace, timedelta()) == [digest]
    age(workspace)
    workspace.blobs.put(b"its record comes in a moment")
    assert collect_garbage(workspace).bytes == 0
    assert workspace.blobs.get(digest)


def test_results_of_tasks_keep_their_artifacts(workspace: Workspace) -> None:
    """Values of flows are named by their records, small or long, alone or inside of others."""
    tasks = {"bytes_": lambda: b"x" * 1000, "long": lambda: {"many": [b"y" * 1000, list(range(9000))]}}
    Flow("test", tasks).run(workspace)
    age(workspace)
    assert unreferenced(workspace) == []
    assert len(list(workspace.blobs.digests())) == 3


def test_more_records_than_a_page_are_read(workspace: Workspace) -> None:
    """The newest and the oldest of thousands of records save their artifacts."""
    oldest, newest = workspace.blobs.put(b"oldest"), workspace.blobs.put(b"newest")
    note(workspace, "a-1", "one", digest=oldest)
    at = workspace.clock.now()
    many = [Record(id=f"m-{number}", kind="many", scope="s", at=at, actor="user:me", body={}) for number in range(2500)]
    workspace.store.write(Change(records=many))
    note(workspace, "z-1", "last", digest=newest)
    age(workspace)
    assert unreferenced(workspace) == []


@pytest.mark.parametrize("text", ["{}", "0{}", "artifact-{}f", "\x1f{}", "{0}{0}", "sha256:" + "a" * 63 + "{}"])
def test_a_digest_is_found_wherever_it_stands(workspace: Workspace, text: str) -> None:
    """Also right beside other hexadecimal digits: what is mentioned in any way is not taken."""
    digest = workspace.blobs.put(b"mentioned")
    note(workspace, "a-1", "one", text=text.format(digest))
    age(workspace)
    assert unreferenced(workspace) == []


def test_what_a_record_needs_no_more_goes_unless_another_needs_it(workspace: Workspace) -> None:
    """Its body stays as it was born, and names the artifact still."""
    put = workspace.blobs.put
    alone, shared = put(b"alone"), put(b"shared")
    note(workspace, "a-1", "one", first=alone, second=shared)
    note(workspace, "b-1", "two", second=shared)
    age(workspace)
    assert unreferenced(workspace) == []
    workspace.store.write(Change(attributes=[Attribute("a-1", DROPPED, f"{alone} {shared}")]))
    assert unreferenced(workspace) == [alone]
