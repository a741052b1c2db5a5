"""One person is gone from everything: versions, copies, predictions, labels, scores, old files; and it is said so."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.lifecycle.rides import make_rides

from heptad.core.errors import ConflictError, InputError, NotFoundError
from heptad.core.events import verify
from heptad.core.records import Record
from heptad.data import Subjects, erased
from heptad.lifecycle import Erasure, backup, examine_workspace
from heptad.lifecycle.erasing.certificate import verify_certificate
from heptad.lifecycle.erasing.job import FOLDER, Jobs
from heptad.project import Project, open_project

REASON = "they asked for it"


def ride(*keys: str) -> Subjects:
    return Subjects(columns=["ride"], keys=[[key] for key in keys])


def bytes_of(folder: Path) -> bytes:
    """Everything that the workspace has on the disk, packed tables unpacked."""
    found = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    tables = [pl.read_parquet(path, glob=False) for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
    arrow = [path for path in (folder / "artifacts").rglob("*") if path.is_file() and path.read_bytes()[:5] == b"ARROW"]
    tables += [pl.read_ipc(path) for path in arrow]
    return b"".join([*found, *(table.write_ndjson().encode() for table in tables)])


@pytest.fixture
def predicted(copied: Project) -> tuple[Project, str]:
    """A rehearsed project, and a ride that was learnt from in one version and predicted, with a label, before."""
    ids = copied.serving.predictions().select("id").collect()["id"].to_list()
    labelled = copied.serving.labels().collect()["id"].to_list()
    latest = copied.data.scan(copied.data.version("latest")).collect()["ride"].to_list()
    return copied, next(one for one in ids if one in labelled and one in latest)


def erase(project: Project, *keys: str, retrain: bool = False) -> Record[Erasure]:
    return project.lifecycle.erasures.erase(ride(*keys), REASON, retrain=retrain)


def test_a_person_is_gone_from_every_place(predicted: tuple[Project, str]) -> None:
    """Rows, scores, predictions, answers, labels, old files, logs of tables: their key is in no byte any more."""
    project, who = predicted
    token = who.encode()
    folder = project.workspace.folder
    assert token in bytes_of(folder)
    there = project.lifecycle.erasures.look(ride(who))
    assert there.found["data versions"] >= 1
    assert there.found["predictions"] == there.found["labels of predictions"] == 1
    others = project.serving.predictions().collect().height, project.serving.labels().collect().height
    rows = {one.id: project.data.scan(one).collect().height for one in project.data.log()}
    erasure = erase(project, who)
    assert erasure.attributes["stage"] == "done"
    quoted = b'"' + token + b'"'
    assert quoted not in bytes_of(folder)
    assert (project.serving.predictions().collect().height, project.serving.labels().collect().height) == (
        others[0] - 1,
        others[1] - 1,
    )
    for version in project.data.log():
        gone = erased(version.attributes)
        left = project.data.scan(version).collect()
        assert left.height == rows[version.id] - (gone[0] if gone else 0)
        assert who not in left["ride"].to_list()
    assert (
        sum(gone[0] for one in project.data.log() if (gone := erased(one.attributes))) == there.found["data versions"]
    )
    assert verify(project.workspace.store) > 0
    assert not project.lifecycle.erasures.is_open()


def test_a_value_that_features_once_had_is_in_no_byte_either(predicted: tuple[Project, str]) -> None:
    """Of online features that were replaced and deleted, LMDB keeps the pages; after an erasure they are gone too.

    Other features stay, and one who has them open reads on.
    """
    copied, who = predicted
    extras = copied.root / "extras.csv"
    with (copied.root / "heptad.toml").open("a", encoding="utf-8") as file:
        file.write(EXTRAS)
    for driver in ("Zzyzx Quux", "Quux Zzyzx"):
        extras.write_text(f"ride,driver\n{who},{driver} the driver\n{who}-not,somebody\n", encoding="utf-8")
        project = open_project(copied.root)
        project.data.features.apply()
        project.data.features.materialise(afresh=True)
    project.data.collect()
    folder = project.workspace.folder
    assert b"Zzyzx Quux the driver" in bytes_of(folder)
    reader = open_project(copied.root).data.features.reader("extras")
    assert reader.read({"ride": who}).as_dict()["driver"] == "Quux Zzyzx the driver"
    erasure = erase(project, who)
    assert erasure.body.found["online features"] == 1
    everything = bytes_of(folder)
    for value in (b"Zzyzx Quux the driver", b"Quux Zzyzx the driver", b'"' + who.encode() + b'"'):
        assert value not in everything
    assert reader.read({"ride": who}).as_dict()["driver"] is None
    assert reader.read({"ride": f"{who}-not"}).as_dict()["driver"] == "somebody"


def test_features_by_another_column_are_known_when_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off when the rows are gone already, it still knows by what their features are kept; nothing public does."""
    root = make_rides(tmp_path / "rides", days=20)
    rides = pl.read_csv(root / "rides.csv").with_columns(card=pl.format("card-no-{}", "ride"))
    rides.write_csv(root / "rides.csv")
    rides.select("card", driver=pl.format("{}, driver", "ride")).write_csv(root / "extras.csv")
    with (root / "heptad.toml").open("a", encoding="utf-8") as file:
        file.write(EXTRAS.replace("ride", "card"))
    project = open_project(root)
    project.data.collect()
    project.data.features.apply()
    project.data.features.materialise()
    assert project.lifecycle.erasures.look(ride("r3-4")).entities == {"card": 1}
    with monkeypatch.context() as patch:
        patch.setattr("heptad.data.erasing.erasing.forget_corrections", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            erase(project, "r3-4")
    again = open_project(root)
    assert again.data.erasing.find(ride("r3-4")).versions == {}
    (erasure,) = again.lifecycle.erasures.resume()
    assert erasure.body.found["online features"] == 1
    data = again.lifecycle.erasures.certificate(erasure.id)
    path = tmp_path / "certificate.json"
    path.write_bytes(data)
    certificate, _ = verify_certificate(again.workspace, path)
    assert (certificate.entities, certificate.unsure, certificate.still_holding) == ({"card": 1}, [], [])
    assert certificate.sources_still_holding == {"rides": 1, "extras": 1}
    everything = bytes_of(again.workspace.folder) + data
    assert b"card-no-r3-4," not in everything.replace(b'"', b",")
    assert b"r3-4, driver" not in everything
    assert b"r3-5, driver" in everything


def _cut_off(*_: object) -> None:
    raise KeyboardInterrupt


EXTRAS = """
[sources.extras]
uri = "extras.csv"
[features.extras]
source = "extras"
on = ["ride"]
columns = ["driver"]
"""


def test_the_certificate_is_signed_and_names_nobody(predicted: tuple[Project, str], tmp_path: Path) -> None:
    """It tells places, rows and models; a byte that was changed is noticed."""
    project, who = predicted
    erasure = erase(project, who)
    data = project.lifecycle.erasures.certificate(erasure.id)
    assert who.encode() not in data.replace(erasure.id.encode(), b"")
    path = tmp_path / "certificate.json"
    path.write_bytes(data)
    certificate, _ = verify_certificate(project.workspace, path)
    assert certificate.removed == erasure.body.found
    assert certificate.still_holding == []
    assert certificate.models
    assert all(one.rows > 0 and one.live for one in certificate.models)
    assert certificate.outside


def test_collections_go_on_from_what_is_left(predicted: tuple[Project, str]) -> None:
    """The source still has the row: it does not come back, and the next version shares what did not change."""
    project, who = predicted
    latest = project.data.latest()
    assert latest is not None
    inventory = project.lifecycle.erasures.look(ride(who))
    assert inventory.sources == {"rides": 1}
    erase(project, who)
    with (project.root / "rides.csv").open("a", encoding="utf-8") as file:
        file.write("new-1,2026-04-22T00:00:00+00:00,2026-04-22T02:00:00+00:00,0.5,0,a,yes\n")
    collected = project.data.collect()
    keys = project.data.scan(collected).collect()["ride"].to_list()
    assert "new-1" in keys
    assert who not in keys
    assert project.data.digest(collected) == collected.body.digest
    assert project.data.diff(latest, collected).rows_removed == 0


def test_a_plan_to_retrain_is_begun_where_it_is_asked_for(predicted: tuple[Project, str]) -> None:
    """The open trial is the plan already, or there is a new one; the next turns carry it out."""
    project, who = predicted
    erasure = erase(project, who, retrain=True)
    assert str(erasure.attributes["plan"]).startswith("plan-")


def test_reproducing_says_how_many_rows_are_gone_and_since_when(tmp_path: Path) -> None:
    """An old model is not identical any more, and the reason is an erasure with its date."""
    project = open_project(make_rides(tmp_path / "rides", days=30))
    outcome = project.run()
    assert outcome.version is not None
    erase(project, "r3-4", "r5-6")
    again = open_project(project.root)
    result = again.release.reproduce(outcome.version.body.label, lambda _what, _share: None)
    assert not result.identical
    said = next(one.sentence for one in result.differences if one.part == "data")
    assert said.startswith("2 of ")
    assert "were erased, the last on" in said
    # Trained again on the same version, it is another model: the one that saw them does not come back.
    anew = again.run()
    assert anew.candidate.id != outcome.candidate.id


def test_slips_of_the_pen_and_reasons_that_say_nothing_are_refused(tmp_path: Path) -> None:
    """Nothing is written then."""
    project = open_project(make_rides(tmp_path / "rides", days=20))
    project.data.collect()
    with pytest.raises(InputError, match="no reason"):
        project.lifecycle.erasures.erase(ride("r1-1"), "x")
    with pytest.raises(NotFoundError):
        erase(project, "r-nobody")
    assert project.lifecycle.erasures.recent() == []
    with Jobs(project.workspace).one_erasure(), pytest.raises(ConflictError):
        erase(project, "r1-1")


def test_someone_only_a_source_knows_is_kept_out(tmp_path: Path) -> None:
    """They were never collected, and will not be."""
    project = open_project(make_rides(tmp_path / "rides", days=20))
    erasure = erase(project, "r1-1")
    assert sum(erasure.body.found.values()) == 0
    assert "r1-1" not in project.data.scan(project.data.collect()).collect()["ride"].to_list()


def test_two_people_one_after_the_other_are_both_counted(tmp_path: Path) -> None:
    """What a version says of itself adds up, and an old workspace that was copied still opens."""
    project = open_project(make_rides(tmp_path / "rides", days=20))
    version = project.data.collect()
    erase(project, "r1-1")
    erase(project, "r1-2", "r1-3")
    found = erased(project.data.version(1).attributes)
    assert found is not None
    assert found[0] == 3
    moved = open_project(Path(shutil.copytree(project.root, tmp_path / "moved")))
    assert moved.data.scan(moved.data.version(1)).collect().height == version.body.rows - 3


def test_the_workspace_is_well_afterwards_and_a_backup_tells_nobody(
    predicted: tuple[Project, str], tmp_path: Path
) -> None:
    """Neither who was erased nor who is being erased goes into a backup; nothing is missing."""
    project, who = predicted
    erase(project, who)
    with Jobs(project.workspace).one_erasure():
        (project.workspace.folder / FOLDER / "half.json").write_text(who)
    assert [one.name for one in examine_workspace(project.workspace) if one.state == "error"] == []
    backup(project.workspace, tmp_path / "backup")
    kept = {path.relative_to(tmp_path / "backup").as_posix() for path in (tmp_path / "backup").rglob("*.json")}
    assert not any(path.startswith("keys/") for path in kept)
    assert f'"{who}"'.encode() not in bytes_of(tmp_path / "backup")
