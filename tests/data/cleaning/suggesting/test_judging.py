"""How likely each cell is wrong."""

import numpy as np
import pytest

from heptad.data.cleaning.suggesting.evidence import NAMES
from heptad.data.cleaning.suggesting.judging import TRAITS as VARIANCES
from heptad.data.cleaning.suggesting.judging import Judge, Judged, contributions, first_guess, shift_of
from heptad.data.cleaning.suggesting.weights import BY_SHARE, USUAL_SHARE

NOTHING = np.zeros((1, len(NAMES)))
KINDS = len(VARIANCES)
TRAITS = np.zeros((1, KINDS), dtype=np.int64)


def evidence(**values: float) -> np.ndarray:
    found = NOTHING.copy()
    for name, value in values.items():
        found[0, NAMES.index(name)] = value
    return found


def judged(features: np.ndarray, column: int, wrong: list[float], traits: int = 0) -> Judged:
    k = len(wrong)
    return Judged(np.repeat(features, k, 0), np.full((k, KINDS), traits), np.full(k, column), np.array(wrong))


NOBODY = Judged(
    np.zeros((0, len(NAMES))), np.zeros((0, KINDS), dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
)


def test_without_evidence_a_cell_is_right() -> None:
    """And with strong evidence it is likely wrong, nobody having judged."""
    judge = Judge(NOBODY)
    assert judge.probabilities(0, NOTHING, TRAITS)[0] < 0.1
    assert judge.probabilities(0, evidence(letters=3.0, rare_value=1.5, told=4.0, told_alone=4.0), TRAITS)[0] > 0.8


def test_a_judged_cell_speaks_for_those_like_it() -> None:
    """In its column and with its traits most, in other columns hardly."""
    judge = Judge(judged(NOTHING, 0, [1.0] * 4))
    same = judge.probabilities(0, NOTHING, TRAITS)[0]
    other_traits = judge.probabilities(0, NOTHING, TRAITS + 1)[0]
    elsewhere = judge.probabilities(1, NOTHING, TRAITS)[0]
    assert same > 0.8
    assert same > other_traits > elsewhere


def test_cells_that_are_right_take_evidence_away() -> None:
    """What is flagged in general is not where a person says that it is right."""
    doubtful = evidence(marker=1.0, not_number=0.4)
    before = Judge(NOBODY).probabilities(0, doubtful, TRAITS)[0]
    after = Judge(judged(doubtful, 0, [0.0] * 5)).probabilities(0, doubtful, TRAITS)[0]
    assert before > 0.5
    assert after < 0.2


def test_the_order_of_the_judged_cells_does_not_matter() -> None:
    """Twenty cells forwards and backwards."""
    rng = np.random.default_rng(0)
    features, traits = rng.random((20, len(NAMES))), rng.integers(0, 2, (20, KINDS))
    column, wrong = rng.integers(0, 3, 20), (rng.random(20) < 0.3).astype(float)
    one = Judge(Judged(features, traits, column, wrong)).probabilities(0, features, traits)
    two = Judge(Judged(features[::-1], traits[::-1], column[::-1], wrong[::-1])).probabilities(0, features, traits)
    assert one == pytest.approx(two, abs=1e-6)


def test_contributions_add_up_to_the_guess() -> None:
    """The weights of all evidence, and the bias, are the logit."""
    one, two = evidence(letters=1.0), evidence(letters=1.0, padded=1.0)
    difference = contributions(two).sum() - contributions(one).sum()
    assert first_guess(two)[0] - first_guess(one)[0] == pytest.approx(difference)


def test_sure_first_guesses_that_were_wrong_are_overcome() -> None:
    """At the answer, the pull of each judged cell is what its probability lacks, however far off the guess was."""
    rng = np.random.default_rng(1)
    features = np.repeat(evidence(letters=6.0, told_alone=6.0), 60, 0)
    features[30:] = 0.0
    traits, column = rng.integers(0, 3, (60, KINDS)), rng.integers(0, 4, 60)
    wrong = np.r_[np.zeros(25), np.ones(10), np.zeros(20), np.ones(5)]
    judge = Judge(Judged(features, traits, column, wrong))
    for at in range(4):
        of = column == at
        likely = judge.probabilities(at, features[of], traits[of])
        assert judge._pull[of] == pytest.approx(wrong[of] - likely, abs=2e-3)


def test_where_little_is_wrong_each_guess_is_lower() -> None:
    """As it stands at the usual share; the same evidence counts for more in a table that is full of mistakes."""
    assert shift_of(USUAL_SHARE) == 0
    assert shift_of(USUAL_SHARE / 10) == -shift_of(USUAL_SHARE * 10) == -BY_SHARE
    doubtful = evidence(letters=1.2)
    few, usual, many = (
        Judge(NOBODY, shift_of(share)).probabilities(0, doubtful, TRAITS)[0] for share in (0.003, USUAL_SHARE, 0.2)
    )
    assert few < usual < many


def test_the_shift_counts_where_cells_are_judged_too() -> None:
    """A cell that was judged right says less against one in another column, where right was expected."""
    right = judged(evidence(letters=2.0), 0, [0.0])
    assert (
        Judge(right, -3.0).probabilities(1, evidence(letters=2.0), TRAITS)[0]
        < Judge(right).probabilities(1, evidence(letters=2.0), TRAITS)[0]
    )
