"""Oversampling by interpolation between neighbours of a class, by imbalanced-learn.

N. Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique" (2002).
"""

from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, SMOTENC
from scipy import sparse
from threadpoolctl import threadpool_limits

from heptad.core.errors import DataError

NEIGHBOURS = 5


def smote(matrix: Any, target: Any, codes: list[int], seed: int) -> tuple[Any, Any]:
    """The rows as they are, and made ones until every class has as many as the largest; a `resampler`.

    Columns of codes are not interpolated: a made row has the code that most of its neighbours have. Gaps (NaN) count as
    the column's median while neighbours are looked for, and no made row has one. Raises `DataError` for a class with
    a single row, which has no neighbour.
    """
    counts = np.bincount(target)
    least = int(counts[counts > 0].min())
    if least < 2:
        raise DataError(
            "A class has a single row to learn from, so smote has no two rows to put others between.",
            remedy='use [search] balance = ["weights"], or fewer folds',
        )
    complete = _complete(matrix)
    neighbours = min(NEIGHBOURS, least - 1)
    numbers = complete.shape[1] - len(codes)
    if codes and not numbers:
        raise DataError(
            "Every column holds categories, so smote has nothing to interpolate.",
            remedy='use [search] balance = ["weights"]',
        )
    with threadpool_limits(1):
        if codes:
            made = SMOTENC(codes, k_neighbors=neighbours, random_state=seed)
        else:
            made = SMOTE(k_neighbors=neighbours, random_state=seed)
        rows, labels = made.fit_resample(complete, target)
    # The rows that were there keep their gaps.
    parts = [matrix, rows[matrix.shape[0] :]]
    return sparse.vstack(parts, format="csr") if sparse.issparse(matrix) else np.vstack(parts), labels


def _complete(matrix: Any) -> Any:
    if sparse.issparse(matrix):
        return sparse.csr_matrix(matrix)
    gaps = np.isnan(matrix)
    if not gaps.any():
        return matrix
    known = np.where(gaps.all(axis=0), 0.0, matrix)
    return np.where(gaps, np.nanmedian(known, axis=0), matrix)
