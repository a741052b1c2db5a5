"""Importance is measured of what was told alone."""

import pytest

from heptad.experiments.searching.importance import measure
from heptad.experiments.searching.told import Told


def test_the_parameter_that_decides_has_most() -> None:
    """By fANOVA, the same each time."""
    told = [Told(number, {"x": float(number), "y": float(number % 3)}, number**2) for number in range(20)]
    shares, how = measure(told, "minimize", ["x", "y"])
    assert how.startswith("fANOVA")
    assert shares[0].param == "x"
    assert sum(one.share for one in shares) == pytest.approx(1)
    assert measure(told, "minimize", ["x", "y"]) == (shares, how)


def test_conditional_parameters_are_measured_where_they_were() -> None:
    """By PED-ANOVA: what set the best apart."""
    told = [Told(n, {"kind": "a", "x": n / 10} if n % 2 else {"kind": "b"}, float(n)) for n in range(20)]
    shares, how = measure(told, "minimize", ["kind", "x"])
    assert how.startswith("PED-ANOVA")
    assert {one.param for one in shares} <= {"kind", "x"}
