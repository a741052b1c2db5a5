"""Artifacts in parts: any order, again, across a killed server; joined whole, or not at all."""

import json
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from heptad.core.workspace import Workspace
from tests.api.conftest import Web
from tests.api.mlflow.asking import Asker, patiently, with_client

MPU = "mlflow-artifacts/mpu"


def begun(ask: Asker, run: str, parts: int) -> tuple[str, list[str]]:
    """The id of an upload of `d/big.bin`, and the paths of its parts."""
    body = json.dumps({"path": "/home/me/big.bin", "num_parts": parts}).encode()
    found = json.loads(ask.raw("POST", f"{MPU}/create/0/{run}/artifacts/d", body).body)
    urls = [urlsplit(one["url"]).path.removeprefix("/api/2.0/") for one in found["credentials"]]
    return found["upload_id"], urls


def finish(ask: Asker, run: str, act: str, **fields: object) -> bytes:
    body = json.dumps({"path": "/home/me/big.bin", **fields}).encode()
    found = ask.raw("POST", f"{MPU}/{act}/0/{run}/artifacts/d", body).body
    assert isinstance(found, bytes)
    return found


def test_parts_are_joined_in_their_order_whatever_order_they_came_in(workspace: Workspace) -> None:
    """One that was sent again counts as it came last; completing again changes nothing."""
    ask = Asker(workspace)
    run = ask.run()
    upload, urls = begun(ask, run, 3)
    for number, content in ((3, b"cc"), (1, b"wrong"), (2, b"bb"), (1, b"aa")):
        ask.raw("PUT", urls[number - 1], content)
    finish(ask, run, "complete", upload_id=upload)
    finish(ask, run, "complete", upload_id=upload)
    assert ask.content(f"mlflow-artifacts:/0/{run}/artifacts/d/big.bin") == b"aabbcc"


def test_nothing_is_joined_while_a_part_is_missing_or_another_one(workspace: Workspace) -> None:
    """The refusal says which; the file is not there."""
    ask = Asker(workspace)
    run = ask.run()
    upload, urls = begun(ask, run, 2)
    ask.raw("PUT", urls[0], b"aa")
    with pytest.raises(Exception, match="Part 2 of 2 has not arrived"):
        finish(ask, run, "complete", upload_id=upload)
    ask.raw("PUT", urls[1], b"bb")
    with pytest.raises(Exception, match="Part 1 is not the one"):
        finish(ask, run, "complete", upload_id=upload, parts=[{"part_number": 1, "etag": "0" * 64}])
    assert ask("GET", "artifacts/list", f"run_id={run}")["files"] == []


def test_an_upload_is_of_one_file_of_one_run(workspace: Workspace) -> None:
    """Its id completes nothing elsewhere, nor does one that was given up, nor one that never was."""
    ask = Asker(workspace)
    run, other = ask.run(), ask.run()
    upload, urls = begun(ask, run, 1)
    ask.raw("PUT", urls[0], b"aa")
    with pytest.raises(Exception, match="no upload of this file"):
        finish(ask, other, "complete", upload_id=upload)
    with pytest.raises(Exception, match="no upload of this file"):
        finish(ask, run, "complete", upload_id="upload-none")
    finish(ask, run, "abort", upload_id=upload)
    for act in (lambda: finish(ask, run, "complete", upload_id=upload), lambda: ask.raw("PUT", urls[0], b"aa")):
        with pytest.raises(Exception, match="is aborted"):
            act()


@pytest.mark.parametrize("parts", [0, -1, 10_001, 2**70])
def test_a_file_comes_in_a_sensible_number_of_parts(workspace: Workspace, parts: int) -> None:
    """Else nothing is begun."""
    ask = Asker(workspace)
    with pytest.raises(Exception, match=r"parts|int"):
        begun(ask, ask.run(), parts)


def test_an_upload_goes_on_after_the_server_was_killed(own_web: Web) -> None:
    """What arrived before counts: only the rest is sent."""
    run = own_web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    proxy = f"/api/2.0/{MPU}"
    body = {"path": "big.bin", "num_parts": 2}
    _, begun = own_web("POST", f"{proxy}/create/0/{run}/artifacts", body)
    first, second = (urlsplit(one["url"]).path for one in begun["credentials"])
    assert own_web("PUT", first, b"a" * 1_000_000)[0] == 200
    os.kill(own_web.server.pid or 0, signal.SIGKILL)
    assert patiently(own_web, "PUT", second, b"b")[0] == 200
    done = {"path": "big.bin", "upload_id": begun["upload_id"]}
    assert patiently(own_web, "POST", f"{proxy}/complete/0/{run}/artifacts", done) == (200, {})
    found = patiently(own_web, "GET", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/big.bin")
    assert found == (200, "a" * 1_000_000 + "b")


CLIENT = """
import mlflow, os, tempfile
from pathlib import Path
path = Path(tempfile.mkdtemp()) / "big.bin"
path.write_bytes(os.urandom(12_000_001))
with mlflow.start_run() as run:
    mlflow.log_artifact(str(path), "d")
got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="d/big.bin")
assert Path(got).read_bytes() == path.read_bytes()
"""


@pytest.mark.slow
@pytest.mark.parametrize("web", ["sqlite"], indirect=True)
def test_the_stock_client_sends_large_files_in_parts(web: Web, tmp_path: Path) -> None:
    """Where its setting asks for it."""
    with_client(
        web.server.port,
        CLIENT,
        MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD="true",
        MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE="5000000",
        MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE="5242880",
    )
