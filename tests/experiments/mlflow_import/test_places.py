"""Files are found by the addresses that MLflow wrote, and only below the folders that were given."""

from pathlib import Path

import pytest

from heptad.experiments.mlflow_import.places import Places


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """With a run's files, as MLflow's server keeps them, and a secret beside it."""
    kept = tmp_path / "server" / "mlartifacts" / "1" / "abc" / "artifacts"
    (kept / "d").mkdir(parents=True)
    (kept / "a.txt").write_bytes(b"a")
    (kept / "d" / "b.txt").write_bytes(b"bb")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    return tmp_path / "server"


@pytest.mark.parametrize(
    "address",
    [
        "mlflow-artifacts:/1/abc/artifacts",
        "file:///somewhere/else/mlartifacts/1/abc/artifacts",
        "/gone/mlartifacts/1/abc/artifacts",
        "HERE/mlartifacts/1/abc/artifacts",
        "file://HERE/mlartifacts/1/abc/artifacts",
    ],
)
def test_files_are_found_where_they_are_now(root: Path, address: str) -> None:
    """Also where the folder was moved since, or the address is the server's own."""
    files = Places([root]).files(address.replace("HERE", str(root)))
    assert files is not None
    assert [(one.path, one.size) for one in files] == [("a.txt", 1), ("d/b.txt", 2)]


@pytest.mark.parametrize(
    "address",
    [
        "HERE/../secret",
        "file://HERE/../secret",
        "/etc",
        "s3://bucket/1/abc/artifacts",
        "mlflow-artifacts:/../../secret",
    ],
)
def test_nothing_else_is_read(root: Path, address: str) -> None:
    """Neither what lies beside the folder nor what is on another machine."""
    assert Places([root]).files(address.replace("HERE", str(root))) is None


def test_links_that_lead_out_are_passed_over(root: Path) -> None:
    """A file of a run cannot be a file of this machine."""
    folder = root / "mlartifacts" / "1" / "abc" / "artifacts"
    (folder / "link").symlink_to(root.parent / "secret" / "key")
    files = Places([root]).files("mlflow-artifacts:/1/abc/artifacts")
    assert files is not None
    assert [one.path for one in files] == ["a.txt", "d/b.txt"]
