"""Label errors by confident learning, from cleanlab.

C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
"""

from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores


def find_label_errors(labels: Any, probabilities: Any) -> tuple[Any, Any]:
    """Which rows are likely labelled wrongly `(n,)`, and how likely each label is right `(n,)`, 0 to 1.

    `labels` are numbers of classes `(n,)` of which each comes at least once, `probabilities` `(n, k)` are of models
    that have not seen the row.
    """
    suspects = find_label_issues(labels, probabilities, n_jobs=1)
    return np.asarray(suspects, dtype=bool), np.asarray(get_label_quality_scores(labels, probabilities))
