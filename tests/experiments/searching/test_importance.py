"""Importance is measured of what was told alone, and ranks parameters as the function that was searched does."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from heptad.experiments import Branches, Choice, Float, Int, Search, Space, Told, describe_space
from heptad.experiments.searching.importance import measure, scales
from heptad.experiments.searching.report import varying
from heptad.experiments.searching.samplers import SamplerName

USE = Choice((True, False))
ROOT = Branches("m", {"a": {"x": Float(0, 1)}, "b": {"w": Float(0, 1)}})
MODELS = Branches(
    "model",
    {
        "linear": {"penalty": Float(1e-3, 1e3, log=True), "good": USE, "idle": USE},
        "tree": {"depth": Int(2, 20), "good": USE, "idle": USE},
        "boosted": {"rate": Float(0.01, 0.5, log=True), "good": USE, "idle": USE},
    },
)
Loss = Callable[[dict[str, Any]], float]


def searched(space: Space, loss: Loss, sampler: SamplerName = "random", trials: int = 40) -> list[Told]:
    search = Search(space, sampler=sampler, trials=trials, seed=1)
    while trial := search.ask():
        search.tell(trial.number, loss(trial.params))
    return search.told


def models(params: dict[str, Any]) -> float:
    """Without the good feature every model is bad; which model it is matters less, and its own numbers least."""
    base = {"linear": 1.0, "tree": 0.5, "boosted": 0.0}[params["model"]]
    return base + (0 if params["good"] else 5) + 0.1 * abs(math.log10(params.get("penalty", 1.0)))


def test_the_parameter_that_decides_has_most() -> None:
    """By fANOVA, the same each time; shares add up to one."""
    told = [Told(number, {"x": float(number), "y": float(number % 3)}, number**2) for number in range(20)]
    shares = measure(told, "minimize", ["x", "y"], {})
    assert shares[0].param == "x"
    assert sum(one.share for one in shares) == pytest.approx(1)
    assert measure(told, "minimize", ["x", "y"], {}) == shares


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize(
    ("space", "loss", "first", "least"),
    [
        (MODELS, models, "good", 0.9),
        (ROOT, lambda one: (0 if one["m"] == "a" else 10) + 0.01 * one.get("x", one.get("w")), "m", 0.95),
        (ROOT, lambda one: 5 * one["x"] if one["m"] == "a" else 2.5 + 0.01 * one["w"], "x", 0.8),
    ],
    ids=["a parameter of every branch", "the choice itself", "a parameter of one branch"],
)
def test_in_a_conditional_space_what_decides_comes_first(
    space: Space, loss: Loss, first: str, least: float, sampler: SamplerName
) -> None:
    """Also where a sampler has gathered its trials about the best."""
    told = searched(space, loss, sampler)
    shares = measure(told, "minimize", varying(told), scales(describe_space(space)))
    assert shares[0].param == first
    assert shares[0].share > least


def test_orders_of_magnitude_are_measured_evenly() -> None:
    """By the space's own scale, and without one, as of a space in Python, by how the first values are spread."""
    space: Space = {"rate": Float(1e-5, 1, log=True), "even": Float(0, 1)}
    assert scales(describe_space(space)) == {"rate": True, "even": False}
    told = searched(space, lambda one: abs(math.log10(one["rate"]) + 4) + one["even"])
    for log in (scales(describe_space(space)), {}):
        shares = {one.param: one.share for one in measure(told, "minimize", ["rate", "even"], log)}
        assert shares["rate"] > 0.8
