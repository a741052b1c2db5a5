"""The label model: how often each voter is right, estimated from how voters agree, and what their votes then mean.

A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm" (1979):
given the true class, voters err independently of each other, each with rates of its own, and saying nothing is one of
the things a voter may do (A. Ratner et al., "Data Programming", 2016, for functions as voters). Rows enter as patterns
of votes with how often each comes, so that the work grows with the patterns and not with the rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ABSTAINS = -1
"""The vote of a voter that does not know."""
UNKNOWN = -1
"""The class of a row whose label was not given."""
_ROUNDS = 200
_IDENTIFIED = 3
"""Voters from which on agreement tells how often each is right."""
_ENOUGH = 1e-6
_TRUST = 0.7
"""How often a voter is right before anything is known of it."""
_STRENGTH = 10.0
"""How many votes that belief is worth."""


@dataclass(frozen=True)
class LabelModel:
    """`priors` `(k,)` of the classes; `rates` `(m, k, k + 1)`: what each voter says of a class, its silence last."""

    priors: Floats
    rates: Floats

    def posteriors(self, votes: Ints) -> Floats:
        """Probabilities `(p, k)` of the classes for patterns of votes `(p, m)`."""
        logs = np.tile(np.log(self.priors), (len(votes), 1))
        for voter, said in enumerate(votes.T):
            logs += np.log(self.rates[voter][:, said]).T
        logs -= logs.max(axis=1, keepdims=True)
        shares = np.exp(logs)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def fit_label_model(votes: Ints, given: Ints, counts: Ints, classes: int) -> LabelModel:
    """The model of patterns of votes `(p, m)` (numbers of classes or `ABSTAINS`) that come `counts` times.

    `given` `(p,)` are labels that are known, or `UNKNOWN`; they hold the model to what classes mean. It begins with the
    majority and is drawn to voters that are right in seven of ten votes, worth ten votes, so that a voter without
    company is believed a little, and classes do not change places.
    """
    # Rows on which nobody votes are not labelled, and would only blur what silence of one voter means.
    weights = np.where((votes != ABSTAINS).any(axis=1), counts, 0).astype(np.float64)
    known = given != UNKNOWN
    shares = majority(votes, classes)
    shares[known] = np.eye(classes)[given[known]]
    # What is known tells better than a majority of voters who may mostly be wrong.
    model = _maximised(votes, shares, weights * known if (weights * known).any() else weights, classes)
    # Two voters that disagree say nothing of which one errs: then each is as good as it looks beside the majority.
    rounds = _ROUNDS if votes.shape[1] >= _IDENTIFIED or known.any() else 0
    for _ in range(rounds):
        found = model.posteriors(votes)
        found[known] = np.eye(classes)[given[known]]
        moved = float(np.abs(found - shares).max(initial=0.0))
        shares = found
        model = _maximised(votes, shares, weights, classes)
        if moved < _ENOUGH:
            break
    return model


def majority(votes: Ints, classes: int) -> Floats:
    """The share of the votes that each class gets `(p, k)`; alike where nobody votes."""
    counted = np.stack([(votes == one).sum(axis=1) for one in range(classes)], axis=1).astype(np.float64)
    total = counted.sum(axis=1, keepdims=True)
    return np.where(total > 0, counted / np.maximum(total, 1), 1 / classes)


def _maximised(votes: Ints, shares: Floats, weights: Floats, classes: int) -> LabelModel:
    """The likeliest rates where rows are of classes by these shares `(p, k)`."""
    weighed = shares * weights[:, None]
    priors = weighed.sum(axis=0) + 1.0
    rates = np.empty((votes.shape[1], classes, classes + 1))
    for voter, said in enumerate(votes.T):
        counted = np.stack([weighed[said == one].sum(axis=0) for one in [*range(classes), ABSTAINS]], axis=1)
        rates[voter] = counted + _believed(said, weights, classes)
    return LabelModel(priors / priors.sum(), rates / rates.sum(axis=2, keepdims=True))


def _believed(said: Ints, weights: Floats, classes: int) -> Floats:
    """Votes `(k, k + 1)` that stand for what is believed of a voter: it speaks as often as it does, mostly rightly."""
    spoken = np.array([weights[said == one].sum() for one in range(classes)])
    speaks = (spoken.sum() + 0.5) / (weights.sum() + 1.0)
    right = np.full((classes, classes), (1 - _TRUST) / max(1, classes - 1))
    np.fill_diagonal(right, _TRUST)
    # A voter that never says a class cannot be wrong with it.
    said_share = (spoken + 1e-3) / (spoken + 1e-3).sum()
    weighed = right * said_share
    weighed /= weighed.sum(axis=1).max()
    told = np.minimum(weighed * speaks, 1 - 1e-6)
    return np.asarray(_STRENGTH * np.column_stack([told, 1 - told.sum(axis=1)]).clip(1e-6))
