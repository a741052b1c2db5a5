"""Voters of known accuracy are weighed as they deserve, and their votes beat the majority."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from heptad.data.labelling.label_model import ABSTAINS, UNKNOWN, LabelModel, fit_label_model, majority


def votes_of(
    truth: np.ndarray, accuracies: Sequence[float], coverage: float, classes: int, random: np.random.Generator
) -> np.ndarray:
    """Voters that are right so often where they vote at all, and otherwise say any other class."""
    rows, voters = len(truth), len(accuracies)
    right = random.random((rows, voters)) < np.array(accuracies)
    wrong = (truth[:, None] + random.integers(1, classes, (rows, voters))) % classes
    return np.where(random.random((rows, voters)) < coverage, np.where(right, truth[:, None], wrong), ABSTAINS)


def fitted(votes: np.ndarray, classes: int, known: np.ndarray | None = None) -> tuple[LabelModel, np.ndarray]:
    """The model, and the posteriors of each row."""
    labels = np.full(len(votes), UNKNOWN) if known is None else known
    patterns, places, counts = np.unique(
        np.column_stack([votes, labels]), axis=0, return_inverse=True, return_counts=True
    )
    model = fit_label_model(patterns[:, :-1], patterns[:, -1], counts, classes)
    return model, model.posteriors(patterns[:, :-1])[places.ravel()]


@pytest.mark.parametrize(
    ("accuracies", "shares"),
    [
        ([0.95, 0.9, 0.6, 0.6, 0.55, 0.55, 0.55], [0.5, 0.5]),
        ([0.9, 0.7, 0.6, 0.6], [0.5, 0.5]),
        ([0.95, 0.85, 0.7, 0.6, 0.6], [0.8, 0.2]),
        ([0.9, 0.8, 0.6, 0.5, 0.5, 0.5], [0.4, 0.35, 0.25]),
    ],
)
def test_the_model_beats_the_majority_and_knows_how_good_voters_are(
    accuracies: list[float], shares: list[float]
) -> None:
    """By three points in a hundred or more; estimated accuracies are within eight, probabilities as sure as right."""
    for seed in range(3):
        random = np.random.default_rng(seed)
        truth = random.choice(len(shares), 4_000, p=shares)
        votes = votes_of(truth, accuracies, 0.55, len(shares), random)
        _, found = fitted(votes, len(shares))
        voted = (votes != ABSTAINS).any(axis=1)
        # Ties of the majority are broken by chance.
        most = (majority(votes, len(shares)) + 1e-9 * random.random(found.shape)).argmax(axis=1)
        right, simple = (found.argmax(axis=1) == truth)[voted].mean(), (most == truth)[voted].mean()
        assert right > simple + 0.03
        assert found.max(axis=1)[voted].mean() == pytest.approx(right, abs=0.05)
        for voter in range(len(accuracies)):
            own = votes[:, voter] != ABSTAINS
            estimated = found[own, votes[own, voter]].mean()
            assert estimated == pytest.approx((votes[own, voter] == truth[own]).mean(), abs=0.08)


def test_voters_that_know_one_class_each_are_understood() -> None:
    """Rules that say "spam" or nothing, and others that say "ham" or nothing."""
    random = np.random.default_rng(1)
    truth = random.choice(2, 6_000, p=[0.8, 0.2])
    chances = [(1, 0.4, 0.011), (1, 0.3, 0.019), (1, 0.5, 0.05), (0, 0.3, 0.04), (0, 0.4, 0.1)]
    votes = np.column_stack(
        [
            np.where(random.random(6_000) < np.where(truth == one, often, seldom), one, ABSTAINS)
            for one, often, seldom in chances
        ]
    )
    _, found = fitted(votes, 2)
    voted = (votes != ABSTAINS).any(axis=1)
    most = (majority(votes, 2).argmax(axis=1) == truth)[voted].mean()
    assert (found.argmax(axis=1) == truth)[voted].mean() > most - 0.005
    for voter, (one, _, _) in enumerate(chances):
        own = votes[:, voter] != ABSTAINS
        assert found[own, one].mean() == pytest.approx((truth[own] == one).mean(), abs=0.1)


def test_given_labels_tell_what_classes_mean() -> None:
    """Where most voters are wrong, a few known labels turn the model round."""
    random = np.random.default_rng(2)
    truth = random.choice(2, 3_000)
    votes = votes_of(truth, [0.9, 0.35, 0.3, 0.35, 0.3], 0.8, 2, random)
    known = np.where(np.arange(3_000) < 200, truth, UNKNOWN)
    _, blind = fitted(votes, 2)
    _, told = fitted(votes, 2, known)
    rest = np.arange(3_000) >= 200
    assert (told.argmax(axis=1) == truth)[rest].mean() > 0.8
    assert (blind.argmax(axis=1) == truth)[rest].mean() < 0.5


def test_two_voters_are_believed_alike() -> None:
    """Their disagreement says nothing of who errs, and where they agree they are right more often."""
    random = np.random.default_rng(4)
    truth = random.choice(2, 3_000)
    votes = votes_of(truth, [0.9, 0.8], 0.7, 2, random)
    _, found = fitted(votes, 2)
    voted = (votes != ABSTAINS).any(axis=1)
    assert (found.argmax(axis=1) == truth)[voted].mean() > 0.8


PATTERNS = arrays.arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-1, 2))


@given(PATTERNS, st.integers(1, 1_000))
def test_whatever_is_voted_probabilities_are_probabilities(votes: np.ndarray, count: int) -> None:
    """Rows add up to 1 and nothing is NaN: voters that never vote, that always agree, a single row."""
    counts = np.full(len(votes), count)
    model = fit_label_model(votes, np.full(len(votes), UNKNOWN), counts, 3)
    found = model.posteriors(votes)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(model.rates.sum(axis=2), 1)
    assert (model.rates > 0).all()


def test_a_row_that_comes_often_is_as_many_rows() -> None:
    """Patterns with counts are the same as the rows themselves."""
    votes = votes_of(np.arange(300) % 2, [0.9, 0.7, 0.6], 0.7, 2, np.random.default_rng(3))
    patterns, counts = np.unique(votes, axis=0, return_counts=True)
    one = fit_label_model(patterns, np.full(len(patterns), UNKNOWN), counts, 2)
    other = fit_label_model(votes, np.full(300, UNKNOWN), np.ones(300, dtype=np.int64), 2)
    np.testing.assert_allclose(one.rates, other.rates, atol=1e-6)
