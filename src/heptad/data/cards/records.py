"""What is kept of data cards: every statement that people made of a data set."""

from typing import ClassVar

from heptad.core.records import Body
from heptad.data.cards.settings import CardSettings


class DataCard(Body, frozen=True, kw_only=True):
    """What `[card]` said when a version was collected. It describes the version and is no part of it."""

    kind: ClassVar[str] = "data_card"
    prefix: ClassVar[str] = "card"

    name: str
    version: int
    stated: CardSettings
