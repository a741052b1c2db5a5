"""An environment holds what can change a result, and none of the secrets that lie around it."""

import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core.records import digest_of
from heptad.core.workspace import Workspace
from heptad.experiments.environment import (
    capture_environment,
    installed_packages,
    save_environment,
    uncommitted_changes,
)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, and a change that was not committed."""
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "--initial-branch=trunk")
    (folder / "settings.py").write_text("RATE = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    (folder / "settings.py").write_text('RATE = 2\nAPI_KEY = "abc123"\n')
    return folder


def test_code_is_known_by_commit_branch_and_changes(repository: Path) -> None:
    """The commit, the branch, and the uncommitted changes by the digest under which they are kept."""
    kept: list[bytes] = []

    def keep(data: bytes) -> str:
        kept.append(data)
        return digest_of(data)

    environment = capture_environment(repository, keep)
    assert environment.commit == git(repository, "rev-parse", "HEAD")
    assert environment.branch == "trunk"
    assert "+RATE = 2" in kept[0].decode()
    assert "abc123" not in kept[0].decode()
    assert environment.diff == digest_of(kept[0]) == capture_environment(repository).diff


def test_outside_of_a_repository_there_is_no_code_to_name(tmp_path: Path) -> None:
    """Without git's help everything else is still captured."""
    environment = capture_environment(tmp_path)
    assert (environment.commit, environment.branch, environment.diff) == ("", "", "")
    assert environment.packages["numpy"]
    assert environment.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert environment.cores >= 1


def test_without_git_installed_nothing_fails(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git captures no code and raises nothing."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert uncommitted_changes(repository) == ""


def test_threads_and_command_are_captured_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thread counts are kept; an option that names a secret loses its value, whichever way it is given."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(sys, "argv", ["train.py", "--rate", "0.1", "--token", "abc123", "--db-password=hunter2"])
    environment = capture_environment(tmp_path)
    assert environment.threads["OMP_NUM_THREADS"] == "3"
    assert environment.command == ["train.py", "--rate", "0.1", "--token", "***", "--db-password=***"]


def test_packages_are_listed_once_and_sorted() -> None:
    """Names are normalised, as a lock file writes them."""
    names = list(installed_packages())
    assert names == sorted(names)
    assert "scikit-learn" in names


def test_equal_environments_are_one_artifact(workspace: Workspace) -> None:
    """Saving an environment again answers the same digest."""
    environment = capture_environment(workspace.root)
    digest = save_environment(workspace, environment)
    assert digest == save_environment(workspace, environment)
    assert b'"packages"' in workspace.blobs.get(digest)
