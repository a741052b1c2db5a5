"""Things that show themselves in a notebook: who draws them is found by name, so that they need not know it."""

from typing import TypeVar

from heptad.core import catalogue

T = TypeVar("T")


class Shown:
    """Mixed into what a notebook shows as more than its text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(catalogue.find("display", "notebook")(self))


class Rows(Shown, list[T]):
    """A list that a notebook shows as a table."""

    __slots__ = ()
