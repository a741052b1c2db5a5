"""What a run begins with: parameters, as attributes and in its body, and links."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from heptad.core.errors import InputError
from heptad.core.records import Id, Scalar
from heptad.core.store import at_seconds
from heptad.experiments.records import Run, Special

_SPECIAL: Final[dict[str, Special]] = {"nan": "nan", "inf": "inf", "-inf": "-inf"}
_LARGEST: Final = 2**63 - 1
"""Whole numbers beyond stand as text in the body of a run: JSON's readers have 64 bits."""


def flat(prefix: str, values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Nested values as attributes: names joined by dots, lists as JSON, and `None` as a word: it is a choice, too.

    >>> flat("params", {"model": {"depth": 3}, "sizes": [8, 4], "weights": None})
    {'params.model.depth': 3, 'params.sizes': '[8, 4]', 'params.weights': 'None'}
    """
    attributes: dict[str, Scalar] = {}
    for name, value in values.items():
        key, one = f"{prefix}.{name}", _plain(value)
        if isinstance(one, Mapping):
            attributes |= flat(key, one)
        elif isinstance(one, list):
            attributes[key] = json.dumps(_finite(one))
        else:
            attributes[key] = "None" if one is None else one
    return attributes


def checked_params(params: Any) -> dict[str, Any]:
    """Parameters by name, none of `None`; raises `InputError` for what has no names."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InputError(f"The parameters are {params!r}.", allowed="values by name", remedy='params={"depth": 3}')
    return dict(params)


def with_params(body: Run, params: Mapping[str, Any]) -> Run:
    """The run with these parameters, of any type, as JSON can hold them."""
    special = {
        key.removeprefix("params."): _SPECIAL[str(value)]
        for key, value in flat("params", params).items()
        if isinstance(value, float) and not math.isfinite(value)
    }
    return msgspec.structs.replace(body, params=_finite(_plain(params)), special=special)


def params_of(body: Run) -> dict[str, Scalar]:
    """The parameters that a run began with, as attributes: what `with_params` was given."""
    return flat("params", body.params) | {f"params.{name}": float(value) for name, value in body.special.items()}


def _plain(value: Any) -> Any:
    """A value as numbers, text, truth values, lists and mappings of these; anything else as its text."""
    if any(kind.__module__ == "numpy" for kind in type(value).__mro__):
        value = value.tolist()  # numbers and arrays of NumPy, which is not loaded for it
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=repr)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _finite(value: Any) -> Any:
    """The same without the numbers that JSON has not: as text in a list, and left out of a mapping."""
    match value:
        case dict():
            return {name: _finite(one) for name, one in value.items() if not _is_special(one)}
        case list():
            return [str(one) if _is_special(one) else _finite(one) for one in value]
        case int():
            return value if -_LARGEST <= value <= _LARGEST else str(value)
        case _:
            return value


def _is_special(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def attributes_of(body: Run, at: datetime) -> dict[str, Scalar]:
    """What stands beside a run when it begins."""
    begun: dict[str, Scalar] = {"status": "running", "name": body.name, "started": at_seconds(at)}
    return begun | ({"study": body.study} if body.study else {}) | params_of(body)


def links_of(body: Run, parent: Id, made_from: Sequence[tuple[str, Id]]) -> list[tuple[str, Id]]:
    """What a run is linked to when it begins."""
    own = [("study", body.study), ("parent", parent)]
    return [*made_from, *((role, target) for role, target in own if target)]
