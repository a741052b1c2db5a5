"""The packages of a workspace, made from records and opened again."""

import io
from typing import Any

import msgspec
import polars as pl
import pytest

from heptad.core.errors import IntegrityError
from heptad.core.records import digest_of
from heptad.release.archive import read_archive, write_archive
from heptad.release.keys import PUBLIC, keys_folder
from heptad.release.packages import json_rows


def registered(house: Any) -> Any:
    return house.release.register(house.good, house.with_gates().decide(house.good))


def test_a_package_holds_what_the_records_say(house: Any) -> None:
    """Graph, signature, profile, environment, lineage and card are those of the candidate."""
    version = registered(house)
    package, body = house.release.package(version), house.good.body
    get = house.workspace.blobs.get
    assert package.signature == body.signature
    assert (package.profile, package.environment) == (get(body.profile), get(body.environment))
    assert package.manifest.members["model.onnx"].digest == digest_of(get(body.model)) == body.model
    assert package.lineage["dataset"] == body.dataset
    assert package.lineage["decision"] == version.body.decision
    assert "# Model card of m" in package.card
    assert "Will it be late?" in package.card
    assert len(package.background) > 10


def test_the_package_answers_as_the_candidate_did(house: Any) -> None:
    """Scores of the packed model on the judged rows are those that were recorded when it was measured."""
    recorded = pl.read_ipc(io.BytesIO(house.workspace.blobs.get(house.good.body.scores)))
    rows = house.training.judged_rows(house.good)
    scores = house.training.score(house.release.package(registered(house)).model, rows)
    assert scores.scores.tolist() == recorded["score"].to_list()
    assert scores.labels == recorded["predicted"].to_list()


def test_golden_and_background_rows_are_nobodys(house: Any) -> None:
    """No row of them is a row of the data."""
    rows = house.data.scan(house.data.version(house.good.body.dataset)).collect()
    real = set(rows.select("x", "colour").drop_nulls().iter_rows())
    package = house.release.package(registered(house))
    made_up = {(row["x"], row["colour"]) for row in [*package.golden.rows, *package.background]}
    assert not real & made_up


def test_equal_records_are_packed_into_equal_bytes(house: Any) -> None:
    """A package that is made again after a crash is the artifact that is there."""
    decision = house.with_gates().decide(house.good)
    subject = house.release._subject(house.good, decision)
    assert house.release._packages.make(subject) == house.release._packages.make(subject)


def test_a_package_stays_open_in_its_process(house: Any) -> None:
    """Opened twice it is the same object, as loading costs more than asking."""
    version = registered(house)
    assert house.release.package(version) is house.release.package(version)


def test_a_package_that_was_altered_is_named_by_its_version(house: Any) -> None:
    """The error says which version cannot be opened, and why."""
    version = registered(house)
    blobs = house.workspace.blobs
    members = read_archive(blobs.get(version.body.package))
    forged = blobs.put(write_archive(members | {"card.md": b"# another card\n"}))
    body = msgspec.structs.replace(version.body, package=forged)
    with pytest.raises(IntegrityError, match=r"^m@1: 'card\.md' in the package is not the one that was signed"):
        house.release.package(msgspec.structs.replace(version, body=body))


def test_a_package_whose_key_is_not_trusted_is_not_opened(house: Any) -> None:
    """Taking the public key away takes the trust away."""
    version = registered(house)
    (keys_folder(house.workspace) / PUBLIC).unlink()
    with pytest.raises(IntegrityError, match="not trusted here"):
        house.release.package(version)


def test_rows_become_plain_json() -> None:
    """Moments as ISO texts in UTC, missing values and NaN as null."""
    frame = pl.DataFrame(
        {"at": ["2026-01-01T05:00:00Z", None], "x": [float("nan"), 1.5], "n": [1, None], "b": [True, None]}
    ).with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))
    assert json_rows(frame) == [
        {"at": "2026-01-01T05:00:00Z", "x": None, "n": 1, "b": True},
        {"at": None, "x": 1.5, "n": None, "b": None},
    ]
