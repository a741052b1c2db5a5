"""A small syntax tree for searches over records; query languages parse onto it, the store compiles it."""

from collections.abc import Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from heptad.core.records import Scalar

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "like", "ilike", "exists"]


class Compare(msgspec.Struct, frozen=True):
    """`key operator value`: an attribute's key, or `@id`, `@at` (a datetime), `@actor`, or `@to.ROLE`.

    `@to.ROLE in (IDS)` asks for a link of that role to one of these records, or of those that a `Query` finds.

    A record without the attribute matches no comparison but `!=`, and `= None` asks for just that. Numbers compare
    with numbers (booleans are 0 and 1; NaN equals nothing) and text with text, by code points; `like` and `ilike`
    use `%` and `_`, and `ilike` takes ASCII letters of either case as equal; `in` takes a sequence; `exists` a bool.
    """

    key: str
    operator: Operator
    value: Any


class All(msgspec.Struct, frozen=True):
    """Every part holds; true without parts."""

    parts: Sequence["Condition"] = ()


class AnyOf(msgspec.Struct, frozen=True):
    """At least one part holds."""

    parts: Sequence["Condition"]


class Not(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = Compare | All | AnyOf | Not


class Order(msgspec.Struct, frozen=True):
    """Sorts numbers, then text, then records without the key, in either direction.

    Ties are broken by the next `Order`, at last by the order of writing, in the direction of the last `Order`.
    """

    key: str
    descending: bool = False


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one kind, in some scopes (`None`: all), that meet `where`, in `order` (default: newest first).

    The kind `""` stands for all kinds.
    `attributes` names the attributes to fetch with each record; `None` fetches all, `()` none.
    """

    kind: str
    scopes: Sequence[str] | None = None
    where: Condition = All()
    order: Sequence[Order] = ()
    attributes: Sequence[str] | None = None


Cursor: TypeAlias = str
"""Where a page ended: opaque text that stays valid while records are added."""

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some records, and the cursor of the next page (`None`: this was the last)."""

    items: Sequence[T]
    after: Cursor | None = None


def equals(**attributes: Scalar) -> Condition:
    """The condition that each attribute has the given value."""
    return All(tuple(Compare(key, "=", value) for key, value in attributes.items()))
