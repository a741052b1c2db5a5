"""Functions of your own as a flow: wired by their parameters' names, cached by content."""

from pathlib import Path

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes

import heptad
from heptad.core.flow import task

SETTINGS = """
[project]
name = "own-flow"

[sources.patients]
uri = "patients.csv"

[data]
target = "progression"
"""


def patients(rows: int) -> pl.DataFrame:
    """The first patients of a small study."""
    print("  reading patients")
    data = load_diabetes()
    return pl.DataFrame(data.data, schema=list(data.feature_names)).with_columns(progression=data.target).head(rows)


@task(retries=2, timeout="1m")
def by_age(patients: pl.DataFrame, groups: int = 4) -> pl.DataFrame:
    """Mean progression by age; `groups` has a default, so it is a parameter and no task."""
    print("  grouping by age")
    ranked = patients.with_columns(group=pl.col("age").rank("ordinal") * groups // (pl.len() + 1))
    return ranked.group_by("group").agg(pl.col("progression").mean().round(1)).sort("group")


def spread(by_age: pl.DataFrame) -> float:
    return float(np.ptp(by_age["progression"].to_numpy()))


def main() -> None:
    folder = Path("heptad-example-own-flow")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    project = heptad.open(folder)
    for rows in (400, 400, 300):
        results = project.flow("ages", [patients, by_age, spread], {"rows": rows})
        print(f"{rows} patients: spread {results['spread']:.1f}, recorded as {results.ids['spread']}")


if __name__ == "__main__":
    main()
