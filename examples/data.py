"""Step 1: a table with flaws becomes a version; more rows become the next; broken promises are refused."""

from pathlib import Path

import numpy as np
import polars as pl

import heptad
from heptad.core.errors import DataError

SETTINGS = """
[project]
name = "orders"

[sources.orders]
uri = "orders.csv"

[data]
target = "returned"
key = ["order"]

[clean.columns.price]
min = 0

[expect.columns.country]
missing = 0.05
"""


def orders(first: int, count: int) -> pl.DataFrame:
    """Orders from number `first` on; one of each hundred has a price below zero."""
    rng = np.random.default_rng(first)
    price = rng.gamma(2.0, 30.0, count).round(2)
    return pl.DataFrame(
        {
            "order": np.arange(first, first + count),
            "price": np.where(np.arange(count) % 100 == 50, -price, price),
            "country": rng.choice(["DE", "FR", "IT"], count),
            "returned": rng.random(count) < price / 300,
        }
    )


def main() -> None:
    folder = Path("heptad-example-data")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    table = folder / "orders.csv"

    first_rows = orders(0, 1_000)
    pl.concat([first_rows, first_rows.head(5)]).write_csv(table)
    project = heptad.open(folder)
    first = project.data.collect()
    print(f"version {first.body.version}: {first.body.rows:,} rows, {first.body.schema.task}")
    for repair in first.body.repairs:
        print(f"  {repair.rule} {repair.column}: {repair.rows} rows, {repair.cells} cells, such as {repair.examples}")

    pl.concat([first_rows, orders(1_000, 200)]).write_csv(table)
    second = project.data.collect()
    print(f"version {second.body.version}: {second.body.rows:,} rows")
    print(project.data.diff(first, second).text())

    nowhere = orders(1_200, 300).with_columns(country=pl.lit(None, dtype=pl.String))
    pl.concat([first_rows, orders(1_000, 200), nowhere]).write_csv(table)
    try:
        project.data.collect()
    except DataError as error:
        print(f"refused: {error}")
    print(f"versions: {[version.body.version for version in project.data.log()]}")
    print(project.data.scan(second).group_by("country").agg(pl.col("price").mean()).sort("country").collect())


if __name__ == "__main__":
    main()
