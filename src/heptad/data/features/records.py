"""What is kept of features: every definition that was ever applied or used."""

from typing import ClassVar

import msgspec

from heptad.core.records import Body
from heptad.data.settings import ColumnType


class TypedName(msgspec.Struct, frozen=True):
    """A key or a feature, and its type; text stands for categories too."""

    name: str
    type: ColumnType


class FeatureView(Body, frozen=True, kw_only=True):
    """One definition of a feature view. Attributes: `name`, `version` (to be searched by), `applied` (in force now)."""

    kind: ClassVar[str] = "feature_view"
    prefix: ClassVar[str] = "view"

    name: str
    version: int
    entities: list[TypedName]
    """The columns that name an entity."""
    time: str
    """The column that says when something happened; empty: a lookup, whose values have no time."""
    inputs: list[TypedName]
    """The columns of the source that features are made of, and its times; what pushed rows have to hold."""
    features: list[TypedName]
    settings: dict[str, object]
    """`[features.NAME]` as it was, with what it left out."""
    behaviour: str
    """Digest of all that decides values: settings, and the code of functions of the project. Definitions that differ in
    other things only share their rows in the online store."""
    owner: str = ""
    description: str = ""
