"""Step 2: a search with branches, a pruner and a limit, its report, and a second search that begins with its best."""

from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import heptad
from heptad.experiments import ActiveTrial, Branches, Float, Int

SPACE = Branches(
    "penalty",
    {
        "l2": {"alpha": Float(1e-6, 1, log=True)},
        "elasticnet": {"alpha": Float(1e-6, 1, log=True), "l1_ratio": Float(0, 1)},
    },
)
WIDER = Branches("penalty", {**SPACE.branches, "l1": {"alpha": Float(1e-6, 1, log=True), "tries": Int(1, 3)}})


def accuracy(trial: ActiveTrial) -> dict[str, float]:
    """Learn digits epoch by epoch; the pruner ends what begins badly."""
    digits, labels = load_digits(return_X_y=True)
    learn, judge, known, true = train_test_split(digits, labels, random_state=trial.seed)
    chosen = {name: value for name, value in trial.params.items() if name != "tries"}
    model = SGDClassifier(random_state=trial.seed, **chosen)
    score = 0.0
    for epoch in range(5):
        model.partial_fit(learn, known, classes=range(10))
        score = float(model.score(judge, true))
        trial.report(score, epoch)
    return {"accuracy": score, "used": float((abs(model.coef_) > 0).mean())}


def main() -> None:
    folder = Path("heptad-example-search")
    folder.mkdir(exist_ok=True)
    experiments = heptad.open_experiments(folder)

    report = experiments.search(
        SPACE,
        accuracy,
        name="digits",
        objectives={"accuracy": "maximize"},
        constraints=["used <= 0.95"],
        trials=25,
        pruner="halving",
    )
    assert report.best is not None
    print(f"{report.finished} finished, {report.pruned} ended early, {report.infeasible} used too many numbers")
    print(f"best: {report.best.values} with {report.best.params}")
    print(f"what mattered, by {report.importance_by}:")
    for one in report.importances:
        print(f"  {one.param} {one.share:.0%}")
    print(report.more.sentence)

    wider = experiments.search(
        WIDER, accuracy, name="wider", objectives={"accuracy": "maximize"}, trials=6, warm_start="similar"
    )
    print(f"began with the best of {len(wider.warm_start)} earlier study")


if __name__ == "__main__":
    main()
