"""Which fields the messages of a stream have, and of which kind each is: learnt from messages, kept with the table."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import msgspec
import polars as pl

Kind: TypeAlias = str
"""`integer`, `number`, `boolean`, `text`, `datetime` (of Avro); `json`: anything, kept as JSON; `null`: only
ever missing, so no column."""
Tree: TypeAlias = dict[str, Any]
"""Name of a field to its kind, or to the tree of its own fields."""
FieldPath: TypeAlias = tuple[str, ...]

COLUMNS = 1_000
"""The most columns that messages may make; those with more fields are quarantined."""
DEPTH = 8
"""Objects inside so many others are kept as JSON."""
RESERVED = "stream_"
"""How the names of columns begin that tell of the message itself."""
POLARS: dict[Kind, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
    "json": pl.String(),
    "datetime": pl.Datetime("us", "UTC"),
}


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An object without fields, which says as much as a missing one."""


_INTEGER = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_ANNOTATIONS: dict[Kind, Any] = {
    "integer": _INTEGER | None,
    "number": float | _INTEGER | None,
    "boolean": bool | None,
    "text": str | None,
    "json": Any,
    "datetime": Annotated[datetime, msgspec.Meta(tz=True)] | None,
    "null": _Nothing | None,
}


def leaves(tree: Tree, above: FieldPath = ()) -> Iterator[tuple[FieldPath, Kind]]:
    """Every field that is a column, in order."""
    for name, kind in tree.items():
        if isinstance(kind, dict):
            yield from leaves(kind, (*above, name))
        elif kind != "null":
            yield (*above, name), kind


def column_of(path: FieldPath) -> str:
    """What the column of a field is called: fields of objects are `outer.inner`."""
    return ".".join(path)


def tree_of(fields: Mapping[FieldPath, Kind]) -> Tree:
    """The tree that has these columns."""
    tree: Tree = {}
    for path, kind in fields.items():
        place = tree
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = kind
    return tree


class Policy(Protocol):
    """What `ChangePolicy` says of columns."""

    def of(self, path: FieldPath, what: Literal["added", "dropped", "retyped"]) -> str: ...

    def wider(self, path: FieldPath, known: Kind, values: list[Any]) -> Kind: ...

    def any_text(self, path: FieldPath) -> bool: ...


def message_type(tree: Tree, policy: Policy, above: FieldPath = ()) -> type[msgspec.Struct]:
    """A type that takes exactly the messages that fit: none of its fields is unknown, and missing are those that may.

    A field whose absence is refused has no default.
    """
    names = {f"f{place}": name for place, name in enumerate(tree)}
    fields: list[tuple[str, Any] | tuple[str, Any, None]] = []
    for short, name in names.items():
        path = (*above, name)
        annotation = _annotation(tree[name], policy, path)
        fields.append((short, annotation) if _is_required(tree[name], policy, path) else (short, annotation, None))
    return msgspec.defstruct("Message", fields, rename=names, forbid_unknown_fields=True, gc=False, kw_only=True)


def _annotation(kind: Any, policy: Policy, path: FieldPath) -> Any:
    if isinstance(kind, dict):
        return message_type(kind, policy, path) | None
    if kind == "text" and policy.any_text(path):
        return str | bool | int | float | None
    return _ANNOTATIONS[kind]


def _is_required(kind: Any, policy: Policy, path: FieldPath) -> bool:
    if isinstance(kind, dict):
        return any(policy.of(inner, "dropped") == "refuse" for inner, _ in leaves(kind, path))
    return kind != "null" and policy.of(path, "dropped") == "refuse"


def grown(tree: Tree, messages: Sequence[Mapping[str, Any]], policy: Policy) -> Tree:
    """The tree with what these messages have besides: new fields, and kinds as wide as the policy lets them become.

    A new field is of the kind that most of its values have. One that the table cannot hold has to be missing.
    """
    taken = {column_of(path).lower() for path, _ in leaves(tree)}
    return _grown(tree, messages, (), taken, policy)


def _grown(
    tree: Tree, messages: Sequence[Mapping[str, Any]], above: FieldPath, taken: set[str], policy: Policy
) -> Tree:
    found = dict(tree)
    for name in dict.fromkeys(name for message in messages for name in message):
        values = [value for message in messages if (value := message.get(name)) not in (None, {})]
        known = found.get(name, "null")
        if isinstance(known, str) and known != "null":
            found[name] = policy.wider((*above, name), known, values)
        elif values and (isinstance(known, dict) or known == "null"):
            path = (*above, name)
            # An object of which every field is missing has no column, so it may turn out to be anything.
            decided = isinstance(known, dict) and any(True for _ in leaves(known))
            kind = "object" if decided else _kind_of_most(values, path)
            if kind == "object":
                within = known if isinstance(known, dict) else {}
                found[name] = _grown(within, [one for one in values if isinstance(one, dict)], path, taken, policy)
            elif unfit(path, taken):
                found[name] = known
            else:
                found[name] = kind
                taken.add(column_of(path).lower())
        else:
            found[name] = known
    return found


def unfit(path: FieldPath, taken: set[str]) -> str:
    """Why no column can be made of a new field; empty where one can. `taken`: names of columns in lower case."""
    name = column_of(path)
    if not path[-1]:
        return "a field has no name"
    if name.lower().startswith(RESERVED):
        return f"field {name}: names that begin with {RESERVED!r} are Heptad's own"
    if name.lower() in taken:
        return f"field {name}: another column has this name, or one that differs only in upper and lower case"
    if len(taken) >= COLUMNS:
        return f"field {name} is new, and there are {COLUMNS:,} columns already"
    return ""


def _kind_of_most(values: Sequence[Any], path: FieldPath) -> Kind:
    kinds = Counter(kind_of(value) for value in values)
    if kinds["number"] and kinds["integer"]:
        kinds["number"] += kinds.pop("integer")
    if kinds["object"] and len(path) >= DEPTH:
        return "json"
    # A sorted tie does not depend on which message came first.
    return min(kinds, key=lambda kind: (-kinds[kind], kind), default="null")


def kind_of(value: Any) -> Kind:
    """The kind of a value as JSON has it; `object` for one with fields of its own."""
    return next((kind for types, kind in _KINDS if isinstance(value, types)), "json")


_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "text"),
    (dict, "object"),
)
