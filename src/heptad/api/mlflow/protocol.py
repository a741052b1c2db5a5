"""What the handlers of the protocol are given beside the call, and the routes that lead to them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias

import msgspec

from heptad.api.mlflow.errors import invalid, missing
from heptad.core.records import RawRecord, Record
from heptad.core.workspace import Workspace
from heptad.experiments import Experiment, experiment_of_scope, numbered_experiment

Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Millis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""Milliseconds since 1970, as far as seconds with a fraction can tell them apart."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the messages that calls carry. A field that is left out has its default; unknown ones are ignored."""

    most_bytes: ClassVar[int] = 16 << 20
    """Of a call's JSON."""


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its text: how tags and parameters travel."""

    key: str
    value: str = ""


class Context:
    """What every handler may use. An experiment's number never changes, so it is asked for once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._numbers: dict[str, int] = {}
        self._scopes: dict[int, str] = {}
        self._active: dict[int, Record[Experiment]] = {}

    def number_of(self, scope: str) -> int:
        """The number of the experiment whose runs have that scope."""
        if scope not in self._numbers:
            self._numbers[scope] = experiment_of_scope(self.workspace, scope).body.number
        return self._numbers[scope]

    def scopes(self, identities: Sequence[str]) -> list[str]:
        """The scopes of the runs of experiments; one that does not exist has none."""
        found = (numbered(one) for one in identities)
        return [scope for number in found if number is not None and (scope := self._scope(number)) is not None]

    def _scope(self, number: int) -> str | None:
        if number not in self._scopes:
            record = numbered_experiment(self.workspace, number)
            if record is None:
                return None
            self._scopes[number] = record.body.scope
        return self._scopes[number]

    def experiment(self, identity: str) -> Record[Experiment]:
        """The experiment with the id of the protocol, as it is now; raises `ProtocolError`."""
        number = numbered(identity)
        found = None if number is None else numbered_experiment(self.workspace, number)
        if number is None or found is None:
            raise missing("experiment", f"id {identity!r}")
        if is_deleted(found):
            self._active.pop(number, None)
        else:
            self._active[number] = found
        return found

    def remembered_experiment(self, identity: str) -> Record[Experiment]:
        """As it was when it was last read, if it was active then, else as it is now; raises `ProtocolError`.

        For a change that expects of it what was decided by: others may have changed it since.
        """
        number = numbered(identity)
        known = None if number is None else self._active.get(number)
        return self.experiment(identity) if known is None else known


def numbered(identity: str) -> int | None:
    """The id of an experiment as a number; `None` where none can have it. Raises `ProtocolError` for none."""
    if not identity:
        raise invalid("Missing value for required parameter 'experiment_id'.")
    if not (identity.isascii() and identity.isdigit()):
        raise invalid(f"Invalid experiment ID {identity!r}. Experiment ID must be a valid integer.")
    return int(identity) if len(identity) < 19 else None


def required(call: Any, *names: str) -> None:
    """Refuse a call that leaves out a field that it must have."""
    for name in names:
        if not getattr(call, name):
            raise invalid(f"Missing value for required parameter {name!r}.")


def is_deleted(record: RawRecord | Record[Any]) -> bool:
    return record.attributes.get("deleted") is not None


def millis(seconds: object) -> int:
    """Seconds since 1970 as the protocol counts them."""
    return round(seconds * 1000) if isinstance(seconds, int | float) else 0


Answer: TypeAlias = Callable[[Context, Any], Any]
"""Takes the context and the call (of the type that the route names), answers what becomes JSON."""


class Route(NamedTuple):
    """`path` stands behind `/api/VERSION/`; `{name}` in it takes one segment, `{name...}` as its end all that follows.

    What is captured goes into the field of the call that has its name. A route that takes no call (`takes` is
    `None`) gets the request as it came and answers a `Reply`: it reads the body and writes the reply itself.
    """

    method: str
    path: str
    takes: type[Call] | None
    answer: Answer
