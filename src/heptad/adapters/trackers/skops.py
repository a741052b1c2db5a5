"""Keeps estimators of scikit-learn without pickle, by skops."""

from typing import Any

import skops.io


def write_model(model: Any) -> dict[str, bytes]:
    """An estimator as skops writes it; whoever loads it says which types may be made."""
    return {"model.skops": skops.io.dumps(model)}
