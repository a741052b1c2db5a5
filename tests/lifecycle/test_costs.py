"""Costs: seconds belong to the step that was told last."""

import time

from heptad.lifecycle import Costs, Happening


def test_seconds_go_to_the_step_that_ends_them() -> None:
    """What passed before a happening is its step's, and happenings are passed on."""
    told: list[Happening] = []
    costs = Costs(told.append)
    time.sleep(0.02)
    costs(Happening(step="data", sentence="collected"))
    costs(Happening(step="training", sentence="trained"))
    assert [one.step for one in told] == ["data", "training"]
    assert costs.seconds()["data"] >= 0.02 > costs.seconds()["training"]
