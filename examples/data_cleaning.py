"""Orders are cleaned by rule (units, spellings, votes, outliers); then a single request, by the same rules."""

from pathlib import Path

import numpy as np
import polars as pl

import heptad
from heptad.data import clean_rows

SETTINGS = """
[sources.orders]
uri = "orders.csv"

[data]
target = "late"
key = ["order"]

[clean.columns.size]
units = { kg = 1, g = 0.001 }
unit = "kg"

[clean.columns.country]
trim = true
canonical = { DE = ["Germany", "germany"], FR = ["France"] }
unlisted = "drop"

[clean.columns.state]
told_by = ["shop"]

[clean.columns.price]
numbers = "point"
outliers = "iqr"
outlying = "cap"

[clean.rows.tests]
where = "channel == 'test'"
reason = "orders of our own"
request = "refuse"
"""


def orders(count: int) -> pl.DataFrame:
    """Orders as they came."""
    rng = np.random.default_rng(5)
    shop = rng.integers(0, 4, count)
    size = rng.integers(100, 9000, count)
    return pl.DataFrame(
        {
            "order": [f"o{n:04d}" for n in range(count)],
            "shop": [f"S{one}" for one in shop],
            "state": [("XX" if n % 50 == 7 else f"state {one}") for n, one in enumerate(shop)],
            "size": [f"{one} g" if n % 3 else f"{one / 1000}kg" for n, one in enumerate(size)],
            "country": rng.choice(["DE", "Germany ", "germany", "FR", "France", "Atlantis"], count),
            "price": [f"${one:,.2f}" for one in np.where(rng.random(count) < 0.01, 90_000, rng.gamma(9, 20, count))],
            "channel": rng.choice(["web", "shop", "test"], count, p=[0.6, 0.35, 0.05]),
            "late": np.where(size + rng.normal(0, 900, count) > 5000, "yes", "no"),
        }
    )


def main() -> None:
    folder = Path("heptad-example-cleaning")
    folder.mkdir(exist_ok=True)
    orders(600).write_csv(folder / "orders.csv")
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")

    version = heptad.open(folder).data.collect().body
    print(f"{version.rows} of 600 rows stay")
    for repair in version.repairs:
        what = f"{repair.cells} cells, such as {', '.join(repair.examples)}" if repair.cells else f"{repair.rows} rows"
        print(f"  {repair.rule} {repair.column}: {what}")

    order = {
        "shop": "S2",
        "state": "XX",
        "size": "750 g",
        "country": "Germany",
        "price": "$1,000,000",
        "channel": "web",
    }
    found = clean_rows(version, pl.DataFrame([order, order | {"channel": "test"}]))
    print(found.rows.to_dicts()[0])
    print(found.refused[0].reason)


if __name__ == "__main__":
    main()
