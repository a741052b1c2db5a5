"""Where a run happens, as far as that can change its result: packages, code, machine; secrets left out."""

import functools
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

from heptad.core.records import canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.experiments.machine import find_hardware
from heptad.experiments.records import Environment
from heptad.experiments.scrubbing import scrub, scrub_arguments

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "POLARS_MAX_THREADS",
    "PYTHONHASHSEED",
)
_LONGEST_DIFF = 1_000_000
"""Characters of a diff that are kept; what is left out is counted at its end."""
_GIT_SECONDS = 10


def capture_environment(root: Path, keep: Callable[[bytes], str] = digest_of) -> Environment:
    """The environment of this process for the project at `root`.

    `keep` is handed the uncommitted changes and answers what names them, so `workspace.blobs.put` stores them; by
    default they are only digested, which gives the same name.
    """
    diff = uncommitted_changes(root)
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        packages=installed_packages(),
        commit=_git(root, "rev-parse", "HEAD").strip(),
        branch=_git(root, "branch", "--show-current").strip(),
        diff=keep(diff.encode()) if diff else "",
        command=scrub_arguments(sys.argv),
        cores=os.cpu_count() or 0,
        threads={name: os.environ[name] for name in _THREADS if name in os.environ},
        hardware=hardware(),
    )


def save_environment(workspace: Workspace, environment: Environment) -> str:
    """Store an environment; answers its digest, the same for equal environments."""
    return workspace.blobs.put(canonical_json(environment))


def uncommitted_changes(root: Path) -> str:
    """What `git diff HEAD` says of the files at `root`, secrets scrubbed; empty outside of a repository."""
    diff = scrub(_git(root, "diff", "HEAD", "--no-color", "--no-ext-diff", "--", "."))
    if len(diff) > _LONGEST_DIFF:
        diff = diff[:_LONGEST_DIFF] + f"\n({len(diff) - _LONGEST_DIFF} more characters left out)\n"
    return diff


hardware = functools.cache(find_hardware)
"""Looked for once a process."""


@functools.cache
def installed_packages() -> dict[str, str]:
    """Name to version of every installed distribution; read once a process."""
    # Read once each: a distribution parses its file anew for every name and every version asked of it.
    heads = [one.metadata for one in distributions()]
    found = {head["Name"].lower().replace("_", "-"): head["Version"] for head in heads if head["Name"]}
    return dict(sorted(found.items()))


def _git(root: Path, *arguments: str) -> str:
    """What git prints; empty where there is no git, no repository, or no answer in ten seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 - git is wherever the user has it
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
