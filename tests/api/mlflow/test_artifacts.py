"""The artifacts proxy: what is put comes back, whole or not at all, whoever is killed on the way."""

import http.client
import json
import os
import signal
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from heptad.api.mlflow.errors import ProtocolError
from heptad.core.errors import InputError
from heptad.core.workspace import Workspace
from tests.api.conftest import Web
from tests.api.mlflow.asking import Asker, patiently, with_client

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def test_files_come_back_by_name_and_are_listed_by_folder(workspace: Workspace) -> None:
    """Listings count from the folder that is asked for; files have their size."""
    ask = Asker(workspace)
    run = ask.run()
    for name in ("a.txt", "d/b.txt", "d/e/c.txt", "d2.txt"):
        ask.keep(run, name, name.encode())

    def listed(folder: str) -> Any:
        reply = ask.raw("GET", "mlflow-artifacts/artifacts", query=f"path={quote(folder)}")
        return json.loads(reply.body)["files"]

    top = listed(f"0/{run}/artifacts")
    assert [(one["path"], one["is_dir"]) for one in top] == [("a.txt", False), ("d", True), ("d2.txt", False)]
    assert listed(f"0/{run}/artifacts/d") == [
        {"path": "b.txt", "is_dir": False, "file_size": 7},
        {"path": "e", "is_dir": True},
    ]
    assert listed("0/nobody/artifacts") == listed(f"0/{run}/artifacts/none") == []
    found = ask("GET", "artifacts/list", f"run_id={run}&path=d")
    assert [one["path"] for one in found["files"]] == ["d/b.txt", "d/e"]
    assert ask.refused("GET", "artifacts/list").startswith("INVALID_PARAMETER_VALUE: Missing value")
    assert ask.refused("GET", "artifacts/list", "run_id=nobody").startswith("RESOURCE_DOES_NOT_EXIST")
    assert found["root_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"
    assert ask.content(f"mlflow-artifacts:/0/{run}/artifacts/d/e/c.txt") == b"d/e/c.txt"


def test_a_dot_is_the_folder_itself_where_files_are_read(workspace: Workspace) -> None:
    """As clients write it; they put it in front of the names that they get. What is written has one name."""
    ask = Asker(workspace)
    run = ask.run()
    for name in ("a.txt", "d/b.txt"):
        ask.keep(run, name, name.encode())
    for path, found in ((".", ["a.txt", "d"]), ("./", ["a.txt", "d"]), ("./d", ["d/b.txt"]), ("d/.", ["d/b.txt"])):
        assert [one["path"] for one in ask("GET", "artifacts/list", f"run_id={run}&path={path}")["files"]] == found
        reply = ask.raw("GET", "mlflow-artifacts/artifacts", query=f"path=0/{run}/artifacts/{path}")
        assert [one["path"] for one in json.loads(reply.body)["files"]] == [one.removeprefix("d/") for one in found]
    assert ask.content(f"mlflow-artifacts:/0/{run}/artifacts/./d/./b.txt") == b"d/b.txt"
    assert ask.raw("GET", "/get-artifact", query=f"run_id={run}&path=./a.txt").status == 200
    for wrong in ("./..", "./../x"):
        with pytest.raises(ProtocolError):
            ask("GET", "artifacts/list", f"run_id={run}&path={wrong}")
    with pytest.raises(ProtocolError):
        ask.keep(run, "./c.txt")


def test_a_folder_is_deleted_with_all_in_it_and_nothing_beside_it(workspace: Workspace) -> None:
    """`d` is not `d2.txt`."""
    ask = Asker(workspace)
    run = ask.run()
    for name in ("d/b.txt", "d/e/c.txt", "d2.txt"):
        ask.keep(run, name)
    ask.raw("DELETE", f"mlflow-artifacts/artifacts/0/{run}/artifacts/d")
    assert [one["path"] for one in ask("GET", "artifacts/list", f"run_id={run}")["files"]] == ["d2.txt"]
    ask.raw("DELETE", f"mlflow-artifacts/artifacts/0/{run}/artifacts/")
    assert ask("GET", "artifacts/list", f"run_id={run}")["files"] == []


def test_a_file_is_no_folder(workspace: Workspace) -> None:
    """What a client could not download side by side is refused when it is put."""
    ask = Asker(workspace)
    run = ask.run()
    ask.keep(run, "a")
    with pytest.raises(Exception, match="is a file, so it cannot be the folder"):
        ask.keep(run, "a/b")
    ask.keep(run, "c/d")
    with pytest.raises(Exception, match="is a folder, of 'c/d' for one, so it cannot be a file"):
        ask.keep(run, "c")


@pytest.mark.parametrize(
    ("asked", "status", "wanted"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=5-99", 206, b"56789"),
        ("bytes=0-9", 200, b"0123456789"),
        ("bytes=4-2", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=10-", 416, b""),
    ],
)
def test_a_part_of_a_file_is_sent_where_it_is_asked_for(
    workspace: Workspace, asked: str, status: int, wanted: bytes
) -> None:
    """So that a download that was cut off goes on where it ended."""
    ask = Asker(workspace)
    run = ask.run()
    ask.keep(run, "ten.bin", b"0123456789")
    reply = ask.raw("GET", f"mlflow-artifacts/artifacts/0/{run}/artifacts/ten.bin", HTTP_RANGE=asked)
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    assert (reply.status, body) == (status, wanted)


def test_a_download_goes_on_only_where_the_file_is_still_the_same(workspace: Workspace) -> None:
    """By its entity tag; one that the client has already is not sent again."""
    ask = Asker(workspace)
    run = ask.run()
    ask.keep(run, "ten.bin", b"0123456789")
    path = f"mlflow-artifacts/artifacts/0/{run}/artifacts/ten.bin"
    tag = dict(ask.raw("GET", path).headers)["etag"]
    for given, status in ((tag, 206), ('"another"', 200), ("Thu, 01 Jan 2026 00:00:00 GMT", 200)):
        reply = ask.raw("GET", path, HTTP_RANGE="bytes=7-", HTTP_IF_RANGE=given)
        assert (reply.status, b"".join(reply.body)) == (status, b"789" if status == 206 else b"0123456789")
    for given, status in ((tag, 304), (f'"x", W/{tag}', 304), ('"x"', 200)):
        assert ask.raw("GET", path, HTTP_IF_NONE_MATCH=given).status == status
    ask.keep(run, "ten.bin", b"9876543210")
    assert ask.raw("GET", path, HTTP_RANGE="bytes=7-", HTTP_IF_RANGE=tag).status == 200


def test_a_part_is_read_without_what_stands_before(workspace: Workspace) -> None:
    """Of a large file the end comes at once: its beginning is not even opened."""
    ask = Asker(workspace)
    run = ask.run()
    content = bytes(range(256)) * 40_000
    ask.keep(run, "large.bin", content)
    (stored,) = (file for file in (workspace.folder / "artifacts").rglob("*") if file.stat().st_size == len(content))
    stored.chmod(0o600)
    with stored.open("r+b") as file:
        file.write(b"damaged")  # whoever read it from the start would find that
    reply = ask.raw("GET", f"mlflow-artifacts/artifacts/0/{run}/artifacts/large.bin", HTTP_RANGE="bytes=9999990-")
    assert b"".join(reply.body) == content[9999990:]


def test_a_head_tells_what_would_be_sent(web: Web) -> None:
    """Over the wire: length, tag and that parts can be asked for, and no body; 404 where there is no file."""
    run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/ten.bin"
    assert web("PUT", path, b"0123456789")[0] == 200
    connection = http.client.HTTPConnection("127.0.0.1", web.server.port, timeout=60)
    found = {}
    for method in ("HEAD", "GET"):
        connection.request(method, path, headers={"range": "bytes=2-3"})
        response = connection.getresponse()
        found[method] = (response.status, response.getheader("content-length"), response.read())
        assert response.getheader("accept-ranges") == "bytes"
        assert response.getheader("etag", "").strip('"').isalnum()
    assert found == {"HEAD": (200, "10", b""), "GET": (206, "2", b"23")}
    for missing, status in ((f"{path}.none", 404), ("/api/2.0/mlflow/experiments/get?experiment_id=0", 200)):
        connection.request("HEAD", missing)
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
    connection.close()


def test_a_download_is_never_a_page(workspace: Workspace) -> None:
    """A browser is told to keep it, whatever it holds."""
    ask = Asker(workspace)
    run = ask.run()
    ask.keep(run, "a.html", b"<script>")
    headers = dict(ask.raw("GET", f"mlflow-artifacts/artifacts/0/{run}/artifacts/a.html").headers)
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"


def put(port: int, path: str, content: bytes) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("PUT", f"{PROXY}/{path}", content)
        with connection.getresponse() as response:
            return response.status


@pytest.mark.parametrize("name", ["..%2f..%2fx", "%252e%252e/x", "a%23b", "a%5cb", "%00", "%ff", "a//b", "a/"])
def test_a_wrong_path_is_a_mistake_of_the_client(web: Web, name: str) -> None:
    """Encoded once or twice, over HTTP: 400, and nothing is kept."""
    run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    assert put(web.server.port, f"0/{run}/artifacts/{name}", b"x") == 400
    assert not web("GET", f"/api/2.0/mlflow/artifacts/list?run_id={run}")[1]["files"]


def test_an_upload_that_is_cut_off_leaves_nothing(web: Web) -> None:
    """With an announced length and without one; the next one is kept whole."""
    run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    path = f"{PROXY}/0/{run}/artifacts/half.bin"
    for head in (f"content-length: {9 << 20}", "transfer-encoding: chunked"):
        with socket.create_connection(("127.0.0.1", web.server.port)) as connection:
            connection.sendall(f"PUT {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{head}\r\n\r\n".encode())
            connection.sendall(b"500000\r\n" + b"x" * (5 << 20))
    time.sleep(1)
    assert web("GET", path)[0] == 404
    assert put(web.server.port, f"0/{run}/artifacts/half.bin", b"whole") == 200
    assert web("GET", path) == (200, "whole")


def test_an_upload_survives_a_server_that_is_killed(own_web: Web) -> None:
    """A reply means that the file is there, `kill -9` or not; without a reply it is there whole, or not at all."""
    run = own_web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    assert put(own_web.server.port, f"0/{run}/artifacts/kept.bin", b"k" * (6 << 20)) == 200
    with socket.create_connection(("127.0.0.1", own_web.server.port)) as connection:
        path = f"{PROXY}/0/{run}/artifacts/cut.bin"
        connection.sendall(f"PUT {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {9 << 20}\r\n\r\n".encode())
        connection.sendall(b"x" * (5 << 20))
        os.kill(own_web.server.pid or 0, signal.SIGKILL)
    assert len(patiently(own_web, "GET", f"{PROXY}/0/{run}/artifacts/kept.bin")[1]) == 6 << 20
    assert patiently(own_web, "GET", path)[0] == 404


def test_one_file_is_fetched_by_run_or_by_version(workspace: Workspace) -> None:
    """As the pages of MLflow do, which stand beside the API."""
    ask = Asker(workspace)
    run = ask.run()
    ask.keep(run, "m/f", b"content")
    ask("POST", "registered-models/create", name="iris")
    ask("POST", "model-versions/create", name="iris", source=f"runs:/{run}/m", run_id=run)
    for path, query in (
        ("/get-artifact", f"run_id={run}&path=m/f"),
        ("/model-versions/get-artifact", "name=iris&version=1&path=f"),
    ):
        body = ask.raw("GET", path, query=query).body
        assert not isinstance(body, bytes)
        assert b"".join(body) == b"content"
        for wrong in ("path=../f", "path=", "path=none", "run_id=none&name=none&path=f"):
            with pytest.raises((ProtocolError, InputError)):
                ask.raw("GET", path, query=f"{query}&{wrong}")


CLIENT = """
import mlflow, os, sys, tempfile
from pathlib import Path
folder = Path(tempfile.mkdtemp())
(folder / "in" / "deep").mkdir(parents=True)
(folder / "in" / "deep" / "gr\u00f6\u00dfe 1.bin").write_bytes(os.urandom(3_000_000))
(folder / "in" / "empty").write_bytes(b"")
with mlflow.start_run() as run:
    mlflow.log_artifacts(str(folder / "in"), "data")
    mlflow.log_text("hello", "note.txt")
    mlflow.log_dict({"a": 1}, "d.json")
got = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id))
for path in (folder / "in").rglob("*"):
    if path.is_file():
        assert (got / "data" / path.relative_to(folder / "in")).read_bytes() == path.read_bytes()
client = mlflow.MlflowClient()
assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["d.json", "data", "note.txt"]
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/note.txt") == "hello"
assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/d.json") == {"a": 1}
"""


@pytest.mark.slow
@pytest.mark.parametrize("web", ["sqlite"], indirect=True)
def test_the_stock_client_logs_and_fetches_artifacts(web: Web, tmp_path: Path) -> None:
    """Folders, names in any script, empty files, texts."""
    with_client(web.server.port, CLIENT)
