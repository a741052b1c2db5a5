"""Step 2: runs with parameters and metric series, found by condition, and a search that asks and is told."""

import contextlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

import heptad
from heptad.experiments import Float, Search
from heptad.project import open_experiments


def main() -> None:
    folder = Path("heptad-example-experiments")
    folder.mkdir(exist_ok=True)
    features, target = load_diabetes(return_X_y=True)

    search = Search({"alpha": Float(1e-3, 1e2, log=True)}, trials=12, seed=7)
    with contextlib.chdir(folder):  # runs are kept in the project of the present folder, or in the folder itself
        while (trial := search.ask()) is not None:
            with heptad.track(f"ridge {trial.number}", params=trial.params) as run:
                model = Ridge(alpha=float(trial.params["alpha"]))
                errors = -cross_val_score(model, features, target, scoring="neg_root_mean_squared_error", cv=5)
                for error in errors:
                    run.log(fold_rmse=error)
                run.log(rmse=errors.mean())
            search.tell(trial.number, float(errors.mean()))
    print(f"best of {len(search.told)}: {search.best()}")

    experiments = open_experiments(folder)
    good = experiments.list(where="metrics.rmse < 56 and params.alpha > 0.01")
    print(f"{len(good)} runs below 56 with alpha above 0.01")
    print(experiments.compare([run.id for run in good[:3]]).frame())
    newest = experiments.list(limit=1)[0]
    series = experiments.metric_series(newest.id, "fold_rmse")
    print(f"folds of {newest.body.name}: {np.round(series.values, 1).tolist()}")


if __name__ == "__main__":
    main()
