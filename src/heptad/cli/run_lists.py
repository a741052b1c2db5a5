"""Lists of runs: in which order, and what a line says of one."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from heptad.cli.output import shown

if TYPE_CHECKING:
    from heptad.core.query import Order
    from heptad.core.records import Record
    from heptad.experiments import Run

_KEYS = "metrics.NAME, params.NAME, tags.NAME, name or status; heptad experiments show RUN lists those of a run"
NONE = "No run. Start some: heptad run, or heptad.track in a script"
NONE_MEETS = f"No such run. Keys are {_KEYS}."
_LONGEST = 40
"""Characters of a run's name that a list shows."""
_FEW = 8
"""Metrics of a run that a list shows."""


def order_of(text: str) -> "list[Order]":
    """The order that `--order` asks for, none where it is empty; raises `InputError`."""
    from heptad.core.errors import InputError
    from heptad.core.query import Order

    key, _, direction = text.strip().partition(" ")
    if direction.strip().lower() not in {"", "asc", "desc"}:
        raise InputError(f"The order {text!r} cannot be read.", allowed="KEY, KEY asc, KEY desc")
    return [Order(key, descending=direction.strip().lower() == "desc")] if key else []


def refuse_unknown(orders: "Sequence[Order]", runs: "Sequence[Record[Run]]") -> None:
    """Raises `InputError` for a key that none of the runs has: they are in no order by it."""
    from heptad.core.errors import InputError

    for one in orders:
        if runs and not one.key.startswith("@") and all(one.key not in run.attributes for run in runs):
            raise InputError(f"None of these runs has {one.key!r} to order them by.", allowed=_KEYS)


def short_name(name: str) -> str:
    """A run's name as lists show it: one of thousands of characters would pad every other row to its length."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def metrics_line(attributes: Mapping[str, object]) -> str:
    """The latest value of the first few metrics; those of single folds and of the machine are left to `compare`."""
    values = {
        key.removeprefix("metrics."): value
        for key, value in sorted(attributes.items())
        if key.startswith("metrics.") and not key.startswith(("metrics.fold.", "metrics.system."))
    }
    first = [f"{name} {shown(value)}" for name, value in islice(values.items(), _FEW)]
    more = len(values) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
