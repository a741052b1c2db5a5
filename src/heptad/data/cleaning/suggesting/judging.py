"""How likely each cell is wrong: what its evidence says in general, corrected by the cells that a person has judged.

General weights give a first guess (logistic regression, learnt on many tables with known errors), moved by the share of
the table that is wrong by it. Judged cells correct it by Gaussian process classification with that guess as the mean:
cells resemble each other where they are of one column and share a shape, a trait or the strength of evidence, and a
little across columns. Laplace's approximation, C. E. Rasmussen and C. Williams (2006), Gaussian Processes for
Machine Learning, algorithms 3.1 and 3.2.
"""

import math

import msgspec
import numpy as np

from heptad.data.cleaning.suggesting.cells import Floats, Ints
from heptad.data.cleaning.suggesting.weights import BIAS, BY_SHARE, SCALE, USUAL_SHARE, WEIGHTS

EVERYWHERE = 1.0
EVERYWHERE_SLOPE = 0.2
COLUMN = 1.0
COLUMN_SLOPE = 0.5
TRAITS = (1.5, 2.0, 1.0, 1.0, 1.5, 2.0)
"""Variances, in squared logits, of what all cells share, cells of a column, cells of a column with the same trait."""
SUREST = 6.0
LARGEST = 8.0
ROUNDS = 100
_SMALLEST_STEP = 1e-6


class Judged(msgspec.Struct, frozen=True):
    """Cells that a person has judged: `features` (k, f), `traits` (k, t), `column` (k) and whether each is `wrong`."""

    features: Floats
    traits: Ints
    column: Ints
    wrong: Floats


def first_guess(features: Floats) -> Floats:
    """Logits of (n, f) evidence by the general weights."""
    return np.asarray(np.clip(_bounded(features) @ WEIGHTS + BIAS, -SUREST, SUREST))


def shift_of(share: float) -> float:
    """What to add to the guesses, in logits, where by them this share of the table is wrong.

    Mistakes come together: what is a likely error in a table that is full of them is likely right in one that has
    hardly any.
    """
    return BY_SHARE * math.log10(share / USUAL_SHARE)


def contributions(features: Floats) -> Floats:
    """What each kind of evidence adds to the first guess, (n, f) logits."""
    return np.asarray(_bounded(features) * WEIGHTS)


def _bounded(features: Floats) -> Floats:
    return np.clip(features, 0.0, LARGEST)


class Judge:
    """Judges cells in the light of those that a person has judged; `shift` is added to each first guess."""

    def __init__(self, judged: Judged, shift: float = 0.0) -> None:
        self._judged = judged
        self._shift = shift
        self._scaled = _bounded(judged.features) / SCALE
        self._pull = self._fitted() if len(judged.wrong) else np.zeros(0)

    def probabilities(self, column: int, features: Floats, traits: Ints) -> Floats:
        """How likely each of n cells of a column is wrong, by its evidence (n, f) and traits (n, t)."""
        logits = first_guess(features) + self._shift
        if len(self._pull):
            scaled = _bounded(features) / SCALE
            logits += EVERYWHERE * self._pull.sum() + EVERYWHERE_SLOPE * (scaled @ (self._scaled.T @ self._pull))
            of = np.flatnonzero(self._judged.column == column)
            alike = COLUMN + COLUMN_SLOPE * (scaled @ self._scaled[of].T)
            for place, variance in enumerate(TRAITS):
                alike += variance * (traits[:, place, None] == self._judged.traits[None, of, place])
            logits += alike @ self._pull[of]
        return logistic(logits)

    def _fitted(self) -> Floats:
        """The pull of each judged cell, to be weighed by likeness: the slope of its likelihood at the mode.

        Newton's method; each step is halved until it gains, since a first guess may be sure and wrong.
        """
        wrong, alike = self._judged.wrong, self._alike()
        mean = first_guess(self._judged.features) + self._shift
        pull = np.zeros(len(mean))
        reached = _gain(pull, mean, mean, wrong)
        for _ in range(ROUNDS):
            latent = alike @ pull + mean
            guess = logistic(latent)
            curve = guess * (1 - guess) + 1e-6
            root = np.sqrt(curve)
            lower = np.linalg.cholesky(np.eye(len(mean)) + root[:, None] * alike * root[None, :])
            aim = curve * (latent - mean) + (wrong - guess)
            target = aim - root * np.linalg.solve(lower.T, np.linalg.solve(lower, root * (alike @ aim)))
            step, gained = 1.0, 0.0
            while step > _SMALLEST_STEP and gained <= 0:
                tried = pull + step * (target - pull)
                gained = _gain(tried, alike @ tried + mean, mean, wrong) - reached
                step /= 2
            if gained <= 1e-6:
                break
            pull, reached = tried, reached + gained
        return pull

    def _alike(self) -> Floats:
        judged, scaled = self._judged, self._scaled
        likeness = scaled @ scaled.T
        inside = COLUMN + COLUMN_SLOPE * likeness
        for place, variance in enumerate(TRAITS):
            inside += variance * (judged.traits[:, None, place] == judged.traits[None, :, place])
        same = judged.column[:, None] == judged.column[None, :]
        return np.asarray(EVERYWHERE + EVERYWHERE_SLOPE * likeness + same * inside)


def _gain(pull: Floats, latent: Floats, mean: Floats, wrong: Floats) -> float:
    """The logarithm of the posterior, but for a constant: likelihood less half the distance from the mean."""
    likelihood = -np.logaddexp(0.0, np.where(wrong > 0, -latent, latent)).sum()
    return float(likelihood - 0.5 * pull @ (latent - mean))


def logistic(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
