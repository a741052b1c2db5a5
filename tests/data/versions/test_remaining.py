"""What an erasure left of a version stands beside its record."""

from datetime import UTC, datetime

from heptad.data.versions.remaining import erased, erased_in_words


def test_how_many_and_since_when() -> None:
    """Nothing where nothing was erased."""
    at = datetime(2026, 3, 4, 5, tzinfo=UTC)
    marks = {"erased_rows": 1200, "erased_at": at.isoformat()}
    assert erased(marks) == (1200, at)
    assert erased_in_words(marks) == "1,200 rows were erased, the last on 2026-03-04"
    assert erased({}) is None
    assert erased_in_words({"rows": 3}) == ""
