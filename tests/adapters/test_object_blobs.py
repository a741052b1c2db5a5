"""Artifacts in a bucket keep the promises of a folder's, against a real S3 API server; so do folders pushed there."""

import subprocess
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from tests.data.folders.conftest import LARGE, contents, fill

from heptad.adapters import object_blobs
from heptad.adapters.object_blobs import ObjectBlobs, s3
from heptad.core.artifacts import BlobStore
from heptad.core.errors import InputError, SettingsError, UnavailableError, WorkspaceError
from heptad.core.garbage import collect_garbage
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data import Folders, RemoteSettings
from heptad.data.folders.remotes import open_remote
from heptad.testing.blobs_contract import BlobStoreContract, Damage

pytestmark = pytest.mark.usefixtures("credentials")


def settings_of(bucket: S3Store, prefix: str = "some/where", **more: object) -> RemoteSettings:
    endpoint = str(bucket.config["endpoint"])
    return RemoteSettings(uri=f"s3://{bucket.config['bucket']}/{prefix}", endpoint=endpoint, **more)  # type: ignore[arg-type]


def blobs_in(bucket: S3Store, **more: object) -> ObjectBlobs:
    settings = settings_of(bucket, **more)
    return s3(settings.uri, settings)


class TestObjectBlobs(BlobStoreContract):
    """A bucket keeps the promises of `BlobStore`."""

    @pytest.fixture
    def blobs(self, bucket: S3Store) -> BlobStore:
        return blobs_in(bucket)

    @pytest.fixture
    def damage(self, bucket: S3Store) -> Damage:
        def flip_the_last_byte(digest: str) -> None:
            key = f"some/where/{digest[:2]}/{digest[2:]}"
            data = bytes(obstore.get(bucket, key).bytes())
            obstore.put(bucket, key, data[:-1] + bytes([data[-1] ^ 1]))

        return flip_the_last_byte


def test_two_prefixes_are_two_stores_and_other_objects_are_none(bucket: S3Store) -> None:
    """Whatever else lies in the bucket is neither listed nor deleted."""
    first, second = blobs_in(bucket, prefix="one"), blobs_in(bucket, prefix="")
    obstore.put(bucket, "readme.txt", b"x")
    digest = first.put(b"x")
    assert list(second.digests()) == []
    assert list(first.digests()) == [digest]
    second.put(b"y")
    assert len(list(second.digests())) == 1
    with pytest.raises(InputError, match="names no bucket"):
        s3("s3:///x")


def test_large_artifacts_come_and_go_in_pieces(
    bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file and from a stream; the copy that is sent is on disk when it is large."""
    monkeypatch.setattr(object_blobs, "HELD", 100_000)
    monkeypatch.setattr(object_blobs, "PIECE", 700_000)
    blobs = blobs_in(bucket)
    (tmp_path / "large").write_bytes(LARGE)
    digest = blobs.put(tmp_path / "large")
    assert blobs.get(digest) == LARGE
    with (tmp_path / "large").open("rb") as stream:
        assert blobs.put(stream) == digest
    assert blobs.delete([digest], timedelta(hours=1)) == 0


def test_what_the_store_refuses_is_told_without_secrets(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer, a key that is written out, no key at all."""
    silent = RemoteSettings(endpoint="http://127.0.0.1:9", retries=1, timeout="1s")
    with pytest.raises(UnavailableError, match=r"could not be written, attempts: .*|could not be") as error:
        s3("s3://bucket/x", silent).put(b"x")
    assert "[remote] timeout and retries" in error.value.remedy
    with pytest.raises(SettingsError, match="secret_access_key is written out"):
        s3("s3://bucket/x", RemoteSettings(options={"secret_access_key": "sesame"}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    nobody = RemoteSettings(options={"metadata_endpoint": "http://127.0.0.1:9"}, retries=0, timeout="500ms")
    with pytest.raises(WorkspaceError, match="may not be written with the credentials at hand"):
        s3("s3://bucket/x", nobody).put(b"x")


def test_a_bucket_that_is_not_there_is_told_as_such(bucket: S3Store, tmp_path: Path) -> None:
    """Whatever is done first: it is no artifact that is missing, and no version that was never pushed."""
    settings = RemoteSettings(uri="s3://no-such-bucket/x", endpoint=str(bucket.config["endpoint"]))
    blobs = s3("s3://no-such-bucket/x", settings)
    for act in (
        lambda: blobs.put(b"x"),
        lambda: blobs.size("0" * 64),
        lambda: blobs.open("0" * 64),
        lambda: blobs.delete(["0" * 64]),
        lambda: list(blobs.digests()),
    ):
        with pytest.raises(WorkspaceError, match="There is no bucket s3://no-such-bucket,"):
            act()
    folders = Folders(open_workspace(tmp_path, "project", StoreSettings()), settings)
    folders.add([fill(tmp_path / "images", {"a": b"a"})])
    with pytest.raises(WorkspaceError, match="There is no bucket") as error:
        folders.push()
    assert "[remote] uri" in error.value.remedy
    (tmp_path / ".heptad" / "artifacts").rename(tmp_path / "away")
    with pytest.raises(WorkspaceError, match="There is no bucket"):
        folders.pull()


def test_a_secret_of_the_settings_is_named_and_used(bucket: S3Store, tmp_path: Path) -> None:
    """`${NAME}` in `[remote] options` is looked up where the store is opened."""
    settings = settings_of(bucket, options={"secret_access_key": "${AWS_SECRET_ACCESS_KEY}"})
    remote = open_remote(settings, tmp_path)
    assert remote.get(remote.put(b"x")) == b"x"
    with pytest.raises(SettingsError, match=r"\[remote\] options\.secret_access_key is written out"):
        open_remote(settings_of(bucket, options={"secret_access_key": "sesame"}), tmp_path)


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, check=True)


def test_a_clone_is_filled_from_the_bucket(bucket: S3Store, tmp_path: Path) -> None:
    """`git clone` and pull: a pointer and the bucket are enough, commit by commit; no address stands in the pointer."""
    remote = settings_of(bucket)
    root, clone = tmp_path / "project", tmp_path / "clone"
    images = fill(root / "images")
    git(root, "init", "-q")
    folders = Folders(open_workspace(root, "project", StoreSettings()), remote)
    states = []
    for change in ({}, {"a.txt": b"second", "b/large.bin": LARGE[:1_500_000] + b"!" + LARGE[1_500_000:]}):
        fill(images, change)
        folders.add([images])
        states.append(contents(images))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "data")
    first = folders.push(everything=True)
    assert first.bytes < len(LARGE) + 1_200_000
    assert folders.push(everything=True).packs == 0
    assert "s3" not in (root / "images.heptad").read_text()

    git(tmp_path, "clone", "-q", str(root), str(clone))
    assert not (clone / "images").exists()
    there = Folders(open_workspace(clone, "clone", StoreSettings()), remote)
    there.pull()
    assert contents(clone / "images") == states[1]
    git(clone, "checkout", "-q", "HEAD~1")
    moved, _ = there.pull()
    assert contents(clone / "images") == states[0]
    assert moved.packs == 1
    assert [one.state for one in there.status()] == ["same"]


def test_a_workspace_may_keep_its_artifacts_in_a_bucket(
    bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`[store] artifacts` names it; credentials and endpoint come from the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(bucket.config["endpoint"]))
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    settings = StoreSettings(artifacts=f"s3://{bucket.config['bucket']}/artifacts")
    workspace = open_workspace(tmp_path, "test", settings)
    images = fill(tmp_path / "images")
    folders = Folders(workspace, RemoteSettings())
    (added,) = folders.add([images])
    folders.get(added.version, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(images)
    assert not (tmp_path / ".heptad" / "artifacts").exists()
    digest = workspace.blobs.put(b"nobody's")
    assert collect_garbage(workspace, older_than=timedelta()).digests == [digest]
