"""What is kept of people is found in the workspace, whatever heptad.toml says today."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from tests.data.erasing.conftest import WHO, people

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import Batch, Data, DataSettings, FeatureSettings, Place, SourceSettings, Subjects, scrub_store
from heptad.data.erasing.kept import count_kept, forget_kept
from heptad.data.streams.following import open_landing


def texts_of(folder: Path) -> str:
    """Everything on the disk, tables unpacked."""
    files = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    return "".join([*files, *(repr(pl.read_parquet(path, glob=False).rows()) for path in folder.rglob("*.parquet"))])


def test_a_source_and_a_name_that_are_declared_no_more_lose_them_too(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """A database that was read, a stream that landed, features of a project that has another name today.

    Each holds a value that nothing else has; afterwards it is in no byte, and what is of others stays.
    """
    data = DataSettings(target="paid", key=["customer"], source="rows")
    write(people(30))
    with sqlite3.connect(workspace.root / "shops.db") as database:
        database.execute("CREATE TABLE shops (customer TEXT, shop TEXT)")
        database.executemany("INSERT INTO shops VALUES (?, ?)", [("cust-17", "Zzyzx-shop"), ("cust-1", "Ulm-shop")])
    stream = SourceSettings(uri="kafka://gone/away")
    message = b'{"customer": "cust-%d", "said": "Zzyzx-%d"}'
    payloads = [message % (one, one) for one in (16, 17)] + [b"{ cust-17 Zzyzx-poison"]
    told = {"keys": ["k"] * 3, "times": [1_700_000_000_000] * 3, "partitions": [0] * 3, "positions": [0, 1, 2]}
    open_landing(stream, Place(root=workspace.root)).land(Batch(payloads=payloads, **told))
    before = open_data(
        data,
        project=ProjectSettings(name="before"),
        sources={
            "rows": SourceSettings(uri="rows.csv"),
            "shops": SourceSettings(uri=f"sqlite:///{workspace.root}/shops.db", table="shops"),
        },
        features={"shop": FeatureSettings(source="shops", on=["customer"], columns=["shop"])},
    )
    before.collect()
    before.features.apply()
    before.features.materialise()
    gone = ("Zzyzx-shop", "Zzyzx-17", "Zzyzx-poison", "cust-17")
    assert all(value in texts_of(workspace.folder) for value in gone)
    now = open_data(data, project=ProjectSettings(name="now"))
    assert count_kept(workspace.folder, WHO) == now.erasing.in_kept(WHO) == 3
    assert now.erasing.in_features(WHO) == 1
    found = now.erasing.find(WHO)
    profiles = now.erasing.artifacts(found)
    for _ in range(2):
        now.erasing.forget(WHO, found, "erasure-1", datetime(2026, 1, 1, tzinfo=UTC))
        workspace.blobs.delete(profiles)
        scrub_store(workspace)
        left = texts_of(workspace.folder)
        assert [value for value in gone if value in left] == []
        assert all(value in left for value in ("Ulm-shop", "Zzyzx-16", "cust-1"))
    assert forget_kept(workspace.folder, WHO) == 0


def test_tables_that_know_them_by_something_else_lose_them_by_what_only_they_have(workspace: Workspace) -> None:
    """What a stream landed by e-mail goes with an e-mail of theirs, also what nobody could read."""
    payloads = [b'{"email": "%s@mail"}' % one for one in (b"ann", b"bert")] + [b"{ ann@mail"]
    by_mail = {"keys": ["k"] * 3, "times": [1_700_000_000_000] * 3, "partitions": [0] * 3, "positions": [0, 1, 2]}
    open_landing(SourceSettings(uri="kafka://gone/mails"), Place(root=workspace.root)).land(
        Batch(payloads=payloads, **by_mail)
    )
    payloads = [b'{"customer": "cust-1", "email": "ann@mail"}', b'{"customer": "cust-17", "email": "x"}']
    by_key = {"keys": ["k"] * 2, "times": [1_700_000_000_000] * 2, "partitions": [0] * 2, "positions": [0, 1]}
    open_landing(SourceSettings(uri="kafka://gone/customers"), Place(root=workspace.root)).land(
        Batch(payloads=payloads, **by_key)
    )
    mails = Subjects(columns=["email"], keys=[["ann@mail"]])
    assert count_kept(workspace.folder, WHO) == 1
    assert count_kept(workspace.folder, WHO, [mails]) == 3
    assert forget_kept(workspace.folder, WHO, [mails]) == 3
    left = texts_of(workspace.folder)
    assert all(value in left for value in ("bert@mail", "cust-1"))
    assert "cust-17" not in left
    assert "{ ann@mail" not in left
    assert count_kept(workspace.folder, mails) == 1  # the row of cust-1
