"""The one tree of errors: what is wrong with which value, what is allowed, and the remedy.

    HeptadError                   exit code 1
    ├── InputError                exit code 2: somebody gave something that cannot be used
    │   ├── SettingsError         heptad.toml: all mistakes at once, each with its line
    │   ├── DataError             a table, file or column
    │   ├── RequestError          a request to a server: names the field, carries the HTTP status
    │   └── NotFoundError         a name or id that does not exist: says which do
    ├── ConflictError             somebody else was faster: the expected version has gone
    ├── IntegrityError            stored bytes are not what they were: artifact, package, event
    ├── WorkspaceError            the place is unusable: read-only, full, newer schema, missing part
    ├── TaskError                 a function of a flow failed: which, with what, and its own error
    ├── RefusedError              a rule said no, for example a gate or a missing approval
    └── UnavailableError          retryable: a store, source or server did not answer in time

Whether trying again can help is part of the type: executors, schedulers and clients look for
`Retryable` and at nothing else.
"""

from collections.abc import Iterable, Sequence
from typing import Any


class Retryable(Exception):  # noqa: N818 - it names a quality of errors, not one of them
    """Mixed into errors where the same call may succeed later."""


class HeptadError(Exception):
    """Base of every error that Heptad raises on purpose.

    `problem` says what is wrong with which value, `allowed` what would be right, and `remedy`
    what to do next; the command line prints the three one under the other.
    """

    exit_code = 1

    def __init__(self, problem: str, *, allowed: str = "", remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.allowed = allowed
        self.remedy = remedy

    def __str__(self) -> str:
        parts = [self.problem]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}")
        if self.remedy:
            parts.append(f"Remedy: {self.remedy}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors differ, and an error must come back whole from another process.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[HeptadError], args: tuple[Any, ...], state: dict[str, Any]) -> HeptadError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InputError(HeptadError):
    """Somebody gave something that cannot be used; nothing was written."""

    exit_code = 2


class SettingsError(InputError):
    """Mistakes in heptad.toml or in a command's options, all of them at once."""

    def __init__(self, problem: str, *, problems: Sequence[str] = (), allowed: str = "", remedy: str = "") -> None:
        self.problems = tuple(problems)
        listed = "".join(f"\n  {one}" for one in self.problems)
        super().__init__(problem + listed, allowed=allowed, remedy=remedy)


class DataError(InputError):
    """A file, table, column or value that cannot be used as data."""


class RequestError(InputError):
    """A request that a server refuses: `status` is the HTTP status, `field` the part at fault."""

    def __init__(
        self, problem: str, *, status: int = 400, field: str = "", allowed: str = "", remedy: str = ""
    ) -> None:
        super().__init__(problem, allowed=allowed, remedy=remedy)
        self.status = status
        self.field = field


class NotFoundError(InputError):
    """A name or id that does not exist."""

    def __init__(self, what: str, name: str, known: Iterable[str] = (), *, remedy: str = "") -> None:
        names = sorted(known)
        super().__init__(f"There is no {what} {name!r}.", allowed=nearest(name, names), remedy=remedy)
        self.what = what
        self.name = name


class ConflictError(HeptadError):
    """The expected version of an alias has gone, or a lease is held by somebody else."""

    def __init__(self, problem: str, *, current: str = "", version: int = 0, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.current = current
        self.version = version


class IntegrityError(HeptadError):
    """Stored bytes differ from what was recorded about them."""


class WorkspaceError(HeptadError):
    """The workspace cannot be used: read-only, full, of a newer version, or a part is missing."""


class TaskError(HeptadError):
    """A task of a flow raised; the original error is the cause, and a bad input stays one: its exit code counts."""

    def __init__(
        self, problem: str, *, task: str = "", exit_code: int = 1, allowed: str = "", remedy: str = ""
    ) -> None:
        super().__init__(problem, allowed=allowed, remedy=remedy)
        self.task = task
        self.exit_code = exit_code


class RefusedError(HeptadError):
    """A rule said no: a gate, a missing approval, a thing that is still in use."""


class UnavailableError(Retryable, HeptadError):
    """A store, source or server did not answer in time; the same call may succeed later."""


def nearest(name: str, known: Sequence[str], most: int = 12) -> str:
    """One line that lists the known names, the closest to `name` first; empty where none are known."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    if not known:
        return ""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    shown = ", ".join(known[:most]) + (f", and {len(known) - most} more" if len(known) > most else "")
    return f"{hint}{shown}"
