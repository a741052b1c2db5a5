"""What Git has to know: that data is not its to keep, and neither is the workspace."""

import re
import subprocess
from pathlib import Path

from heptad.core.errors import InputError
from heptad.core.files import write_atomically

_SPECIAL = re.compile(r"([\\*?\[ ])")


def repository_of(place: Path) -> Path | None:
    """The top of the repository that a folder is in; `None` where it is in none."""
    return next((one for one in (place, *place.parents) if (one / ".git").exists()), None)


def refuse_tracked(place: Path) -> None:
    """Raises `InputError` where Git keeps files of this folder itself: then two would be in charge of them.

    A program that the repository names to watch its files is not run: the repository may be a stranger's.
    """
    if repository_of(place.parent) is None:
        return
    try:
        listed = subprocess.run(  # noqa: S603 - a fixed command, and a name behind --
            ["git", "-c", "core.fsmonitor=false", "-C", str(place.parent), "ls-files", "--", f":(literal){place.name}"],  # noqa: S607 - the user's git
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return  # without git nobody commits anything
    if listed:
        count = len(listed.splitlines())
        raise InputError(
            f"Git keeps {place.name} itself, {count:,} file{'s' if count > 1 else ''} of it.",
            remedy=f"git rm -r --cached {place.name}; its files stay where they are",
        )


def ignore(place: Path, workspace: Path) -> bool:
    """Have Git leave a folder or file alone, in the `.gitignore` beside it, and the workspace; answers if that is new.

    Outside of a repository nothing is written.
    """
    if repository_of(place.parent) is None:
        return False
    _write_once(workspace / ".gitignore", "*")
    return _write_once(place.parent / ".gitignore", pattern_of(place.name))


def pattern_of(name: str) -> str:
    r"""The line of a `.gitignore` that stands for just this name.

    >>> pattern_of("a b*")
    '/a\\ b\\*'
    """
    return "/" + _SPECIAL.sub(r"\\\1", name)


def _write_once(path: Path, line: str) -> bool:
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else ""
    if line in text.splitlines():
        return False
    between = "" if not text or text.endswith("\n") else "\n"
    write_atomically(path, f"{text}{between}{line}\n".encode("utf-8", "surrogateescape"))
    return True
