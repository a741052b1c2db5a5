"""An export holds everything, in formats that other programs read."""

import json

import polars as pl
import pytest

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.events import verify
from heptad.core.query import Query
from heptad.core.records import digest_of
from heptad.lifecycle.export import MANIFEST, export_workspace
from tests.lifecycle.conftest import Played


@pytest.fixture(scope="module")
def exported(played: Played, tmp_path_factory):
    """The folder, what was answered, and what was told meanwhile."""
    folder = tmp_path_factory.mktemp("export") / "out"
    run = played.project.experiments.start("with a file")
    run.log(loss=0.5)
    run.log(loss=0.25)
    run.finish()
    workspace = played.project.workspace
    # No run takes such a name now; a workspace of another version may hold one.
    graph.set_attributes(workspace, run.id, {"artifacts.../odd name": workspace.blobs.put(b"attached")})
    cut_off = played.project.experiments.start("cut off")
    cut_off.log(loss=0.75)
    cut_off.live.ship()
    told: list[tuple[str, float]] = []
    made = export_workspace(
        played.project.workspace, played.project.serving, folder, lambda what, share: told.append((what, share))
    )
    return folder, made, told


def test_every_record_is_a_line_of_its_kind(played: Played, exported):
    """With attributes and aliases, as many as the store holds."""
    folder, made, _ = exported
    records = played.project.workspace.store.find(Query(kind=""), limit=10_000).items
    lines = [json.loads(line) for file in (folder / "records").iterdir() for line in file.read_text().splitlines()]
    assert {line["id"] for line in lines} == {record.id for record in records}
    assert sum(made.records.values()) == len(records)
    champion = played.project.release.champion()
    assert champion is not None
    (line,) = [line for line in lines if line["id"] == champion.id]
    assert "champion" in line["aliases"]
    assert line["body"]["version"] == champion.body.version


def test_links_and_the_whole_chain_of_events_are_there(played: Played, exported):
    """Events with their digests, so that the chain can be checked without us."""
    folder, made, _ = exported
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert made.events == len(events) == verify(played.project.workspace.store)
    assert all(len(event["digest"]) == 64 for event in events)
    assert made.links == len((folder / "links.jsonl").read_text().splitlines()) > 0


def test_rows_predictions_and_labels_are_parquet(played: Played, exported):
    """Each data version as it was, all predictions with their inputs, all labels."""
    folder, made, _ = exported
    versions = played.project.data.log()
    assert made.data_versions == len(versions)
    for version in versions:
        rows = pl.read_parquet(folder / "data" / f"rides-{version.body.version}.parquet")
        assert rows.height == version.body.rows
    predictions = pl.read_parquet(folder / "tables" / "predictions.parquet")
    assert predictions["id"].n_unique() == played.rehearsed.summary.predictions
    assert "inputs" in predictions.columns
    assert pl.read_parquet(folder / "tables" / "labels.parquet").height > 0


def test_points_of_every_series_are_there_also_of_a_run_that_was_cut_off(exported):
    """In order, with run, metric, step, value and time."""
    folder, made, _ = exported
    points = pl.read_parquet(folder / "metrics" / "*.parquet")
    assert points.height == made.points
    losses = points.filter(pl.col("metric") == "loss")["value"].to_list()
    assert sorted(losses) == [0.25, 0.5, 0.75]


def test_models_and_packages_can_be_used_without_us(played: Played, exported):
    """An ONNX graph with its signature for each candidate; the signed package of each version, byte for byte."""
    import onnxruntime

    folder, made, _ = exported
    versions = played.project.release.list()
    assert made.packages == len(versions)
    for version in versions:
        package = (folder / "packages" / f"rides-{version.body.version}.zip").read_bytes()
        assert digest_of(package) == version.body.package
        onnxruntime.InferenceSession(folder / "models" / version.body.candidate / "model.onnx")
        signature = json.loads((folder / "models" / version.body.candidate / "signature.json").read_text())
        assert signature["target"] == "late"
        assert pl.read_parquet(folder / "models" / version.body.candidate / "scores.parquet").height > 0


def test_an_attachment_stays_inside_the_folder_whatever_it_is_called(exported):
    """Its bytes are there under a number; its name is in the run's record."""
    folder, _, _ = exported
    attached = [path for path in (folder / "attachments").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in attached] == [b"attached"]


def test_the_manifest_comes_last_and_names_every_file(exported):
    """With bytes and digest; progress ends at 1."""
    folder, made, told = exported
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    assert made.files.keys() == paths
    for name, file in made.files.items():
        data = (folder / name).read_bytes()
        assert (file.bytes, file.blake3) == (len(data), digest_of(data))
    assert json.loads((folder / MANIFEST).read_text())["files"].keys() == paths
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_nothing_is_written_into_a_folder_that_holds_something(played: Played, tmp_path):
    """Nor over a file."""
    (tmp_path / "mine").write_text("x")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InputError, match="is there already"):
            export_workspace(played.project.workspace, played.project.serving, place)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
