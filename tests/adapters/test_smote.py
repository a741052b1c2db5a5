"""Made rows lie between rows of their class."""

import numpy as np
import pytest
from scipy import sparse

from heptad.adapters.smote import smote
from heptad.core.errors import DataError


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Forty rows of class 0 around 0, six of class 1 around 10; a gap, and a column of codes."""
    random = np.random.default_rng(seed)
    target = np.array([0] * 40 + [1] * 6)
    matrix = random.normal(size=(46, 3)) + 10 * target[:, None]
    matrix[:, 2] = random.integers(0, 3, 46)
    matrix[3, 1] = np.nan
    return matrix, target


@pytest.mark.parametrize("codes", [[], [2]])
def test_made_rows_lie_within_their_class(codes: list[int]) -> None:
    """Every class becomes as large as the largest; what was there stays in front as it was, gaps too."""
    matrix, target = rows()
    made, labels = smote(matrix, target, codes, 7)
    assert np.bincount(labels).tolist() == [40, 40]
    np.testing.assert_array_equal(made[:46], matrix)
    own, new = matrix[target == 1], made[46:]
    assert (new[:, :2] >= own[:, :2].min(axis=0)).all()
    assert (new[:, :2] <= own[:, :2].max(axis=0)).all()
    if codes:
        assert set(new[:, 2]) <= {0.0, 1.0, 2.0}
    np.testing.assert_array_equal(smote(matrix, target, codes, 7)[0], made)


def test_sparse_rows_stay_sparse() -> None:
    """Words are interpolated too, without filling the matrix."""
    matrix, target = rows()
    held = sparse.csr_array(np.nan_to_num(matrix))
    made, labels = smote(held, target, [], 7)
    assert sparse.issparse(made)
    assert made.shape == (80, 3)
    assert len(labels) == 80


def test_what_cannot_be_interpolated_is_refused() -> None:
    """A class of one row, and a table of categories only."""
    matrix, target = rows()
    with pytest.raises(DataError, match="single row"):
        smote(matrix[:41], target[:41], [], 7)
    with pytest.raises(DataError, match="categories"):
        smote(matrix[:, 2:], target, [0], 7)
