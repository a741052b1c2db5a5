"""Happenings: what a run tells whoever watches."""

from heptad.lifecycle import Happening, unwatched
from tests.lifecycle.conftest import Played

STEPS = {"data", "experiments", "training", "release", "serving", "monitoring", "lifecycle"}


def test_every_step_tells_what_it_did(played: Played) -> None:
    """Over a rehearsal all seven steps are heard of, and records are named where there are some."""
    assert {one.step for one in played.happenings} == STEPS
    assert all(one.sentence for one in played.happenings)
    named = [one.record for one in played.happenings if one.step == "training"]
    assert all(identity.startswith("candidate-") for identity in named)


def test_nobody_has_to_watch() -> None:
    """Telling nobody is nothing."""
    assert unwatched(Happening(step="data", sentence="collected")) is None
