"""Step 3: the best of a small search, trained and judged on rows it has not seen, with its report as a page."""

from pathlib import Path

import polars as pl
from sklearn.datasets import load_wine

import heptad

SETTINGS = """
[project]
name = "wine"
about = "From which of three growers is this wine?"

[sources.wines]
uri = "wines.csv"

[data]
target = "grower"

[search]
estimators = ["linear", "lightgbm"]
trials = 6
"""


def main() -> None:
    folder = Path("heptad-example-training")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    wines = load_wine()
    growers = [str(wines.target_names[one]) for one in wines.target]
    table = pl.DataFrame(wines.data, schema=wines.feature_names).with_columns(grower=pl.Series(growers))
    table.write_csv(folder / "wines.csv")

    project = heptad.open(folder)
    version = project.data.collect()
    best = project.training.search(version, on_trial=lambda ended: print(ended.sentence))
    candidate = project.training.train(version, best)

    body = candidate.body
    print(f"{body.estimator}: learnt from {body.split.train_rows} rows, judged on {body.split.judge_rows}")
    for metric in body.evaluation.metrics:
        print(f"  {metric.name} {metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})")
    baseline = body.evaluation.baseline[0]
    print(f"  the baseline ({body.evaluation.baseline_name}): {baseline.name} {baseline.value:.3f}")
    print(f"  graph and library differ by at most {body.evaluation.parity.largest_difference:.1e}")
    strongest = list(body.evaluation.attributions.items())[:3]
    print(f"  most telling: {', '.join(name for name, _ in strongest)}")
    (folder / "evaluation.html").write_text(project.training.report(candidate), encoding="utf-8")
    print(f"report: {folder / 'evaluation.html'}")


if __name__ == "__main__":
    main()
