"""What the handlers of the protocol are given beside the call, and the routes that lead to them."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import msgspec

from heptad.core.workspace import Workspace


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the messages that calls carry. A field that is left out has its default; unknown ones are ignored."""


class Context(NamedTuple):
    """What every handler may use."""

    workspace: Workspace


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
