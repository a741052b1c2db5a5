"""What is done with a message whose fields are not those of the messages before it, column by column."""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from heptad.data.sources.settings import OfChange, OnChange
from heptad.data.streams.fields import FieldPath, Kind, Tree, column_of, leaves, tree_of

What: TypeAlias = Literal["added", "dropped", "retyped"]
Done: TypeAlias = Literal["accept", "coerce", "refuse", "widen"]
"""`widen`, where nobody said otherwise: integers become numbers, and other types are refused."""

_WHOLE, _NUMBER = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TRUTHS = {"true": True, "false": False}
_LOST = object()
_LIMIT = 2**63


class ChangePolicy:
    """`[sources.NAME.on_change]` for messages. It says nothing of the first ones, which make the columns."""

    def __init__(self, settings: OnChange | OfChange | None = None) -> None:
        if isinstance(settings, str):
            settings = OnChange(added=settings, dropped=settings, retyped=settings)
        self._named: Mapping[str, OfChange] = settings.columns if settings else {}
        self._general: dict[What, Done] = {
            "added": settings.added if settings else "accept",
            "dropped": settings.dropped if settings else "accept",
            "retyped": settings.retyped if settings else "widen",
        }
        self.mends = bool(self._named) or "coerce" in self._general.values()
        """Whether a message may be read although it does not fit as it is."""

    def of(self, path: FieldPath, what: What) -> Done:
        """What is done about this change of this column."""
        return self._named.get(column_of(path), self._general[what])

    def wider(self, path: FieldPath, known: Kind, values: list[Any]) -> Kind:
        """The kind of a column once it has these values too; as it is, where it need not or may not change."""
        done = self.of(path, "retyped")
        odd = [one for one in values if not _is_of(one, known)]
        if not odd or done not in {"accept", "widen"} or known in {"text", "json", "datetime"}:
            return known
        if known == "integer" and all(_is_of(one, "number") for one in odd):
            return "number"
        scalar = any(isinstance(one, str | bool | int | float) for one in odd)
        return "text" if done == "accept" and scalar else known

    def any_text(self, path: FieldPath) -> bool:
        """Whether a column of text takes numbers and truths, written out."""
        return self.of(path, "retyped") in {"accept", "coerce"}

    def mended(self, tree: Tree, message: Mapping[str, Any], above: FieldPath = ()) -> dict[str, Any]:
        """The message without new fields that are left out, and with values read as the type that they had.

        What cannot be read without a loss stays as it is, and will not fit.
        """
        found: dict[str, Any] = {}
        for name, value in message.items():
            path, known = (*above, name), tree.get(name, "null")
            if isinstance(known, dict) and isinstance(value, dict):
                found[name] = self.mended(known, value, path)
            elif isinstance(known, dict):
                found[name] = value
            elif known != "null":
                read = _read_as(value, known) if self.of(path, "retyped") == "coerce" else value
                found[name] = value if read is _LOST else read
            elif isinstance(value, dict) and value:
                inner = self.mended({}, value, path)
                found |= {name: inner} if inner else {}
            elif value in (None, {}) or self.of(path, "added") != "coerce":
                found[name] = value
        return found

    def admitted(self, before: Tree, grown: Tree) -> Tree:
        """The grown tree without new columns that are not accepted; all of it where there was none before."""
        known = dict(leaves(before))
        if not known:
            return grown
        fields = dict(leaves(grown))
        kept = {path: kind for path, kind in fields.items() if path in known or self.of(path, "added") == "accept"}
        return grown if kept == fields else _pruned(grown, tree_of(kept))


def _pruned(tree: Tree, kept: Tree) -> Tree:
    """The tree without its leaves that are not kept; fields that are only ever missing stay."""
    found: Tree = {}
    for name, kind in tree.items():
        if isinstance(kind, dict):
            found[name] = _pruned(kind, kept.get(name, {}))
        elif kind == "null" or name in kept:
            found[name] = kind
    return found


def _is_of(value: Any, kind: Kind) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return kind in {"json", "null"} or isinstance(value, str)


def _read_as(value: Any, kind: Kind) -> Any:
    """The value as this kind; `_LOST` where something would be lost."""
    if value is None or _is_of(value, kind):
        return value
    if kind == "integer":
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) and abs(int(value)) < _LIMIT:
            return int(value)
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _LIMIT else _LOST
    if kind == "number" and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if kind == "boolean" and isinstance(value, str):
        return _TRUTHS.get(value.strip().lower(), _LOST)
    return _LOST


def written_out(value: Any) -> str | None:
    """A value of a column of text."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
