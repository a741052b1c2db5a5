"""What is known of versions whose rows were given up: when, by whom and why; their records stay."""

from collections.abc import Iterable
from datetime import datetime

from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.data.records import DatasetVersion

PRUNED_AT, PRUNED_BY, PRUNED_BECAUSE = "pruned_at", "pruned_by", "pruned_because"
"""Attributes of a version whose rows are given up: the time in ISO 8601, the actor, and the reason."""
SWEPT = "pruned_files_gone_at"
"""Attribute of such a version: when the last of its files was deleted."""


def is_pruned(version: Record[DatasetVersion]) -> bool:
    return PRUNED_AT in version.attributes


def pruned_in_words(version: Record[DatasetVersion]) -> str:
    """When the rows were given up, by whom and why; empty where they are there."""
    if not is_pruned(version):
        return ""
    said = version.attributes
    at = datetime.fromisoformat(str(said[PRUNED_AT]))
    return f"pruned on {at:%Y-%m-%d %H:%M} by {said[PRUNED_BY]}: {said[PRUNED_BECAUSE]}"


def refuse_pruned(version: Record[DatasetVersion]) -> None:
    """Raises `DataError` where the rows of a version are gone."""
    if is_pruned(version):
        raise DataError(
            f"The rows of {version.body.name}@{version.body.version} are gone, {pruned_in_words(version)}",
            remedy="take a version that has its rows (heptad data log), or a backup from before that (heptad restore)",
        )


def with_rows(versions: Iterable[Record[DatasetVersion]]) -> list[Record[DatasetVersion]]:
    """Those whose rows are there, in their order."""
    return [one for one in versions if not is_pruned(one)]
