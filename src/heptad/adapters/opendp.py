"""Noise of OpenDP, whose mechanisms are proven and sample without the leaks of floating point."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import opendp.prelude as dp

from heptad.core.errors import InputError
from heptad.data import NoiseMaker, Noisy

dp.enable_features("contrib")
_t: Any = dp.t
_m: Any = dp.m
_Floats: TypeAlias = npt.NDArray[np.float64]
_Places: TypeAlias = npt.NDArray[np.int32]
_WITHIN = math.log(1 / 0.05)
"""Laplace noise is smaller than this many scales with a chance of 95%."""


class OpenDpNoise:
    """See `NoiseMaker`. Two tables are neighbours where one has the rows of one person more."""

    def __init__(self, contributions: int) -> None:
        self._contributions = contributions

    def count(self, values: _Floats, epsilon: float) -> Noisy:
        made, scale = self._laplace(lambda scale: _numbers() >> _t.then_count() >> _m.then_laplace(scale), epsilon)
        return Noisy(value=float(made(values)), epsilon=made.map(self._contributions), within=scale * _WITHIN)

    def total(self, values: _Floats, low: float, high: float, epsilon: float) -> Noisy:
        clamped = _numbers() >> _t.then_clamp((low, high)) >> _t.then_sum()
        made, scale = self._laplace(lambda scale: clamped >> _m.then_laplace(scale), epsilon)
        return Noisy(value=made(values), epsilon=made.map(self._contributions), within=scale * _WITHIN)

    def histogram(self, values: _Floats, edges: Sequence[float], epsilon: float) -> list[Noisy]:
        bins = list(range(len(edges) + 1))
        counted = _numbers() >> _t.then_find_bin(edges=list(edges))
        return self._counts(counted >> _t.then_count_by_categories(bins, null_category=False), values, epsilon)

    def categories(self, places: _Places, named: int, epsilon: float) -> list[Noisy]:
        given = dp.vector_domain(dp.atom_domain(T=dp.i32)), dp.symmetric_distance()
        return self._counts(given >> _t.then_count_by_categories(list(range(named))), places, epsilon)

    def quantile(self, values: _Floats, candidates: Sequence[float], share: float, epsilon: float) -> Noisy:
        scored = _numbers() >> _t.then_quantile_score_candidates(list(candidates), share)

        def made_with(scale: float) -> Any:
            return scored >> _m.then_noisy_max(dp.max_divergence(), scale, negate=True)

        made, _ = self._laplace(made_with, epsilon)
        return Noisy(value=candidates[made(values)], epsilon=made.map(self._contributions))

    def _counts(self, counted: Any, values: _Floats | _Places, epsilon: float) -> list[Noisy]:
        made, scale = self._laplace(lambda scale: counted >> _m.then_laplace(scale), epsilon)
        spent = made.map(self._contributions)
        return [Noisy(value=float(one), epsilon=spent, within=scale * _WITHIN) for one in made(values)]

    def _laplace(self, made_with: Callable[[float], Any], epsilon: float) -> tuple[Any, float]:
        """The mechanism with the least noise that costs no more, and its scale."""
        try:
            scale = float(dp.binary_search_param(made_with, self._contributions, epsilon, T=float))
        except (ValueError, OverflowError, dp.OpenDPException) as error:
            raise InputError(
                f"Noise for epsilon = {epsilon:g} cannot be made: {error}.", allowed="a larger one"
            ) from error
        return made_with(scale), scale


def _numbers() -> Any:
    return dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.symmetric_distance()


if TYPE_CHECKING:
    _filled: type[NoiseMaker] = OpenDpNoise
