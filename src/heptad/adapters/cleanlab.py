"""Label errors by confident learning, and wrong numbers by their residuals, from cleanlab.

C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
"""

from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from cleanlab.regression.rank import get_label_quality_scores as get_number_quality_scores


def find_label_errors(labels: Any, probabilities: Any) -> tuple[Any, Any]:
    """Which rows are likely labelled wrongly `(n,)`, and how likely each label is right `(n,)`, 0 to 1.

    `labels` are numbers of classes `(n,)` of which each comes at least once, `probabilities` `(n, k)` are of models
    that have not seen the row.
    """
    suspects = find_label_issues(labels, probabilities, n_jobs=1)
    return np.asarray(suspects, dtype=bool), np.asarray(get_label_quality_scores(labels, probabilities))


def find_number_errors(values: Any, predictions: Any) -> tuple[Any, Any]:
    """Which values are likely wrong `(n,)`, and how likely each is right `(n,)`, 0 to 1.

    Both are in units of the usual error of such a row, predictions by models that have not seen it. So many
    deviations as the furthest of `n` normal errors has, and one more, are no accident.
    """
    quality = np.asarray(get_number_quality_scores(values, predictions, method="residual"))
    furthest = np.sqrt(2 * np.log(max(len(quality), 2))) + 1
    return quality < np.exp(-furthest), quality
