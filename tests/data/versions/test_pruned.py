"""What is known of a version whose rows were given up."""

from datetime import UTC, datetime
from typing import Any

import pytest

from heptad.core.errors import DataError
from heptad.data.versions.pruned import is_pruned, pruned_in_words, refuse_pruned, with_rows


class Version:
    """As much of a record as is asked for."""

    def __init__(self, number: int, **attributes: str) -> None:
        self.body = self
        self.name, self.version, self.attributes = "test", number, attributes


def test_when_by_whom_and_why_is_told() -> None:
    """And the remedy; of one that has its rows nothing."""
    at = datetime(2026, 3, 4, 5, 6, tzinfo=UTC).isoformat()
    gone: Any = Version(1, pruned_at=at, pruned_by="user:ann", pruned_because="older than 90d.")
    there: Any = Version(2)
    assert is_pruned(gone)
    assert not is_pruned(there)
    assert pruned_in_words(gone) == "pruned on 2026-03-04 05:06 by user:ann: older than 90d."
    assert pruned_in_words(there) == ""
    assert with_rows([there, gone]) == [there]
    refuse_pruned(there)
    with pytest.raises(DataError, match="The rows of test@1 are gone, pruned on") as error:
        refuse_pruned(gone)
    assert "heptad restore" in error.value.remedy
