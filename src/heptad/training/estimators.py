"""The table of estimators: what each is good for, how it wants its columns, and where its parameters may lie."""

from dataclasses import dataclass
from typing import Any

from heptad.core.errors import NotFoundError
from heptad.core.settings import Task
from heptad.experiments import Dimensions, Float, Int, check_params
from heptad.training.baseline import fit_baseline
from heptad.training.boosted_trees import fit_boosted_trees
from heptad.training.forests import fit_forest
from heptad.training.learners import Fit, Params
from heptad.training.linear_models import fit_linear
from heptad.training.preprocessing import Recipe


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """One family of models. `defaults` is a point of `space` that does well on most tables."""

    name: str
    about: str
    recipe: Recipe
    space: Dimensions
    defaults: dict[str, Any]
    fit: Fit
    tasks: frozenset[Task] = frozenset({"classification", "regression"})


_ESTIMATORS = (
    Estimator(
        name="linear",
        about="Logistic or ridge regression: a weight for each number, category and word.",
        recipe=Recipe(numbers="scaled", categories="indicators", most_categories=200, most_terms=4_000),
        space={"penalty": Float(1e-3, 1e3, log=True)},
        defaults={"penalty": 1.0},
        fit=fit_linear,
    ),
    Estimator(
        name="random_forest",
        about="The mean of many deep trees, each grown on a sample of the rows.",
        recipe=Recipe(numbers="single", categories="scores", most_categories=1_000, most_terms=300),
        space={
            "max_depth": Int(4, 16),
            "min_samples_leaf": Int(1, 50, log=True),
            "max_features": Float(0.1, 0.6),
        },
        defaults={"max_depth": 14, "min_samples_leaf": 5, "max_features": 0.3},
        fit=fit_forest,
    ),
    Estimator(
        name="lightgbm",
        about="Gradient boosting: trees that each correct what the ones before got wrong.",
        recipe=Recipe(numbers="raw", categories="codes", most_categories=250, most_terms=500),
        space={
            "n_estimators": Int(50, 250, log=True),
            "learning_rate": Float(0.02, 0.15, log=True),
            "num_leaves": Int(7, 63, log=True),
            "min_child_samples": Int(5, 300, log=True),
            "feature_fraction": Float(0.3, 1.0),
            "lambda_l2": Float(0.1, 50.0, log=True),
            "cat_smooth": Float(5.0, 300.0, log=True),
        },
        defaults={
            "n_estimators": 150,
            "learning_rate": 0.05,
            "num_leaves": 20,
            "min_child_samples": 50,
            "feature_fraction": 0.5,
            "lambda_l2": 5.0,
            "cat_smooth": 100.0,
        },
        fit=fit_boosted_trees,
    ),
    Estimator(
        name="baseline",
        about="The same answer for every row: the shares of the classes, or the mean.",
        recipe=Recipe(numbers="raw", categories="codes", most_categories=1, most_terms=1),
        space={},
        defaults={},
        fit=fit_baseline,
    ),
)


def known_estimators() -> dict[str, Estimator]:
    """Every estimator by its name."""
    return {one.name: one for one in _ESTIMATORS}


def estimator_named(name: str) -> Estimator:
    """Raises `NotFoundError` with the names that exist."""
    known = known_estimators()
    if name not in known:
        raise NotFoundError("estimator", name, known, remedy="Change [search] estimators.")
    return known[name]


def complete_params(estimator: Estimator, params: Params) -> dict[str, Any]:
    """The parameters with the defaults of those left out; raises `InputError` for others and for values outside."""
    complete = {**estimator.defaults, **params}
    check_params(estimator.space, complete)
    return complete
