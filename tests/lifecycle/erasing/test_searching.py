"""Traces are looked for in every byte, and models are told from the rest."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lifecycle.versions import make_version

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.lifecycle.erasing import searching
from heptad.lifecycle.erasing.job import FOLDER
from heptad.lifecycle.erasing.searching import Sought, search_workspace


def test_a_value_is_found_wherever_it_is(workspace: Workspace, monkeypatch) -> None:
    """Across two reads of a file too; short values, and the job's own file, are not looked at."""
    monkeypatch.setattr(searching, "_CHUNK", 16)
    (workspace.folder / "logs").mkdir()
    (workspace.folder / "logs" / "one").write_text("x" * 11 + " ann@mail.example " + "x" * 5)
    (workspace.folder / "logs" / "two").write_text("x" * 100 + " 17 ")
    (workspace.folder / FOLDER).mkdir(parents=True)
    (workspace.folder / FOLDER / "a.json").write_text("ann@mail.example")
    found = search_workspace(workspace, ["ann@mail.example", "17"], [])
    assert found.holding == ["logs/one"]
    assert found.values == 1
    assert found.bytes >= 100
    assert search_workspace(workspace, ["17"], []).holding == []


def test_a_longer_word_is_somebody_elses(workspace: Workspace, monkeypatch) -> None:
    """In text its ends are seen; elsewhere only what is known to be longer is taken for it."""
    monkeypatch.setattr(searching, "_CHUNK", 16)
    files = {
        "theirs.json": b'{"customer": "C12345", "n": 1}',
        "escaped.json": b'{"note": "hello\\nC12345\\u00e9"}',
        "joined.txt": b"customer_C12345",
        "address.txt": b"/customers/%20C12345?",
        "packed": b"\xa6C12345\xa5hello",
        "beside": b"\x00" * 30 + b"C123456789" + b"\x00" * 30,
        "other.json": b'{"customer": "C123456", "n": 1, "and": "XC12345", "or": "\xc3\xa9C12345"}',
        "other": b"\x00" * 9 + b"C123456" + b"\x00" * 30 + b"C123456\xa5",
    }
    (workspace.folder / "kept").mkdir()
    for name, content in files.items():
        (workspace.folder / "kept" / name).write_bytes(content)
    found = search_workspace(workspace, ["C12345"], [], ["C123456"]).holding
    assert found == sorted(
        f"kept/{one}" for one in ("theirs.json", "escaped.json", "joined.txt", "address.txt", "packed")
    )
    assert "kept/other" in search_workspace(workspace, ["C12345"], []).holding


def test_an_escaped_value_is_found(workspace: Workspace) -> None:
    """As programs write texts: in JSON, in ASCII or not, on a page, in an address."""
    value = 'Zoë "Z" <zoe@mail.example>'
    forms = {
        "ascii.json": json.dumps({"who": value}),
        "plain.json": json.dumps({"who": value}, ensure_ascii=False),
        "page.html": f"<td>{html.escape(value)}</td>",
        "address.txt": f"/people/{quote(value)}?all=1",
        "nobody.json": json.dumps({"who": value.upper()}),
    }
    (workspace.folder / "kept").mkdir()
    for name, content in forms.items():
        (workspace.folder / "kept" / name).write_text(content, encoding="utf-8")
    found = search_workspace(workspace, [value], [])
    assert found.holding == ["kept/address.txt", "kept/ascii.json", "kept/page.html", "kept/plain.json"]
    assert found.values == 1


@given(
    st.lists(st.sampled_from([b"C12345", b"C123456", b" ", b"x", b"\x00", b"C1"]), max_size=30),
    st.integers(1, 40),
    st.booleans(),
)
def test_the_size_of_reads_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], size: int, known: bool
) -> None:
    """What is found in pieces is what is found in the whole."""
    path = tmp_path_factory.getbasetemp() / "searched"
    path.write_bytes(b"".join(parts) + b"\x00")
    sought = Sought(["C12345"], ["C123456"] if known else [])
    whole = sought.are_in(path.read_bytes(), text=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "_CHUNK", size)
        if b"\x00" in path.read_bytes()[:size]:
            assert searching._search(path, sought)[0] == whole


def test_what_belongs_to_models_is_named_apart(workspace: Workspace) -> None:
    """Artifacts by their digest, records by their id; a record says more than the store's file."""
    digest = workspace.blobs.put(b"profile with Zzyzx-on-Sea")
    other = workspace.blobs.put(b"export with Zzyzx-on-Sea")
    version = make_version(workspace, 1)
    graph.set_attributes(workspace, version.id, {"note": "Zzyzx-on-Sea"})
    found = search_workspace(workspace, ["Zzyzx-on-Sea"], [digest])
    assert found.in_models == [f"artifacts/{digest[:2]}/{digest[2:]}"]
    # The event of the attribute holds it too, which is in the store's file: a note is what a person wrote.
    assert set(found.holding) == {f"artifacts/{other[:2]}/{other[2:]}", version.id}
    assert search_workspace(workspace, ["Zzyzx-on-Sea"], [digest, other, version.id]).holding == []
