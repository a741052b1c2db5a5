"""Attempts are repeated where that may help, and no sooner than a server says."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from heptad.adapters.http_attempts import AgainError, repeated, seconds_of
from heptad.core.errors import UnavailableError
from heptad.data import SourceSettings


def test_a_pause_is_in_seconds_or_until_a_date() -> None:
    """What says neither is none."""
    assert seconds_of("120") == 120
    assert 50 < seconds_of(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) <= 60
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert seconds_of("") == seconds_of("soon") == 0


def test_attempts_end(pauses: list[float]) -> None:
    """With their number and the last reason."""

    def attempt() -> None:
        raise AgainError("no luck", pause=0.3)

    with pytest.raises(UnavailableError, match="u could not be read, attempts: 3; no luck"):
        repeated(attempt, SourceSettings(uri="u", retries=2), [])
    assert pauses == [0.3, 0.4]
