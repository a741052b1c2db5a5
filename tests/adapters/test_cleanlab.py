"""Confident learning by cleanlab."""

import numpy as np

from heptad.adapters.cleanlab import find_label_errors


def test_a_label_that_a_sure_model_contradicts_is_suspect() -> None:
    """Of twenty labels two are wrong, and both come out with the least quality."""
    labels = np.array([0, 1] * 10)
    probabilities = np.where(labels[:, None] == np.arange(2), 0.95, 0.05)
    for row in (4, 7):
        probabilities[row] = probabilities[row][::-1]
    suspects, quality = find_label_errors(labels, probabilities)
    assert np.flatnonzero(suspects).tolist() == [4, 7]
    assert set(np.argsort(quality)[:2].tolist()) == {4, 7}
