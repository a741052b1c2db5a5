"""Where a run happens, as far as that can change its result: packages, code, machine; secrets left out."""

import functools
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path

from heptad.core.records import canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.experiments.machine import find_hardware
from heptad.experiments.records import Environment

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

_SECRETS = (
    # An assignment, option or JSON member whose name speaks of a secret: the value goes.
    re.compile(
        r"(?i)([\w-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w-]*"
        r"[\"']?\s*[=:]\s*[\"']?)([^\s\"',;]+)"
    ),
    # User and password of an address.
    re.compile(r"([a-z][a-z0-9+.-]*://)([^/\s@]+)(?=@)"),
    re.compile(r"(?i)(\bbearer\s+)([\w.~+/-]{8,}=*)"),
    # Well-known forms of keys: AWS, GitHub, GitLab, Slack, OpenAI and its like.
    re.compile(
        r"()\b((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|glpat-[\w-]{20,}|xox[abps]-[\w-]{10,}|sk-[\w-]{20,})"
    ),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.*?)(?=-----END|\Z)", re.DOTALL),
)
_SECRET_OPTION = re.compile(r"(?i)--?[\w-]*(?:password|passwd|secret|token|key|credentials?)$")
_HIDDEN = r"\g<1>***"


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
        command=_scrubbed_command(sys.argv),
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


def scrub(text: str) -> str:
    """The text with whatever looks like a secret replaced by `***`.

    >>> scrub("API_KEY=abc123 postgresql://me:sesame@host/db")
    'API_KEY=*** postgresql://***@host/db'
    """
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return text


hardware = functools.cache(find_hardware)
"""Looked for once a process."""


@functools.cache
def installed_packages() -> dict[str, str]:
    """Name to version of every installed distribution; read once a process."""
    # Read once each: a distribution parses its file anew for every name and every version asked of it.
    heads = [one.metadata for one in distributions()]
    found = {head["Name"].lower().replace("_", "-"): head["Version"] for head in heads if head["Name"]}
    return dict(sorted(found.items()))


def _scrubbed_command(arguments: Sequence[str]) -> list[str]:
    before = ["", *arguments]
    return [
        "***" if _SECRET_OPTION.match(option) else scrub(one) for option, one in zip(before, arguments, strict=False)
    ]


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
