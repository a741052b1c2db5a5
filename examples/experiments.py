"""Step 2: runs with parameters and metric series, found by condition, and a search that asks and is told."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

import heptad
from heptad.experiments import Float, Search

SETTINGS = """
[project]
name = "diabetes"

[data]
target = "progression"

[sources.patients]
uri = "patients.csv"
"""


def main() -> None:
    folder = Path("heptad-example-experiments")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    experiments = heptad.open(folder).experiments
    features, target = load_diabetes(return_X_y=True)

    search = Search({"alpha": Float(1e-3, 1e2, log=True)}, trials=12, seed=7)
    while (trial := search.ask()) is not None:
        with experiments.start(f"ridge {trial.number}", params=trial.params) as run:
            model = Ridge(alpha=float(trial.params["alpha"]))
            errors = -cross_val_score(model, features, target, scoring="neg_root_mean_squared_error", cv=5)
            for error in errors:
                run.log(fold_rmse=error)
            run.log(rmse=errors.mean())
        search.tell(trial.number, float(errors.mean()))

    best = search.best()
    print(f"best of {len(search.told)}: {best}")

    good = experiments.list(where="metrics.rmse < 56 and params.alpha > 0.01")
    print(f"{len(good)} runs below 56 with alpha above 0.01")
    print(experiments.compare([run.id for run in good[:3]]).frame())
    newest = experiments.list(limit=1)[0]
    series = experiments.metric_series(newest.id, "fold_rmse")
    print(f"folds of {newest.body.name}: {np.round(series.values, 1).tolist()}")


if __name__ == "__main__":
    main()
