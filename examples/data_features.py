"""Step 1: features joined as they were known, applied, brought online, and the same on both sides."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

import heptad
from heptad.data import TrainingSet

SETTINGS = """
[project]
name = "shop"

[sources.orders]
uri = "orders.parquet"
time = "at"

[data]
source = "orders"
target = "returned"
key = ["order"]
time = "at"

[features.spending]
source = "orders"
on = ["customer"]
columns = ["amount"]
known = "loaded_at"
stream = true

[features.spending.make]
total_7d = { call = "sum", of = "amount", window = "7d" }
before = { call = "lag", of = "amount" }
rise = { call = "divide", of = ["amount", "before"] }
weekend = { call = "weekend", of = "at", zone = "Europe/Berlin" }
"""
NOW = datetime(2024, 3, 1, tzinfo=UTC)


def orders(count: int) -> pl.DataFrame:
    """Orders of 50 customers over the last 40 days; one in twenty is loaded three days late."""
    rng = np.random.default_rng(7)
    at = [NOW - timedelta(days=40 * (1 - share)) for share in np.sort(rng.random(count))]
    late = rng.random(count) < 0.05
    loaded = [moment + timedelta(days=3 * int(one), minutes=1) for moment, one in zip(at, late, strict=True)]
    return pl.DataFrame(
        {
            "order": np.arange(count),
            "customer": [f"c{one}" for one in rng.integers(0, 50, count)],
            "at": at,
            "loaded_at": loaded,
            "amount": rng.gamma(2.0, 30.0, count).round(2),
            "returned": rng.random(count) < 0.2,
        }
    )


def main() -> None:
    folder = Path("heptad-example-data-features")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    orders(5_000).write_parquet(folder / "orders.parquet")
    features = heptad.open(folder).data.features

    for change in features.plan().to_do():
        print(f"to do: {change.action} {change.name}")
    features.apply()

    asked = pl.DataFrame(
        {
            "customer": [f"c{number % 50}" for number in range(300)],
            "asked_at": [NOW - timedelta(hours=3 * number) for number in range(300)],
            "late": [number % 7 == 0 for number in range(300)],
        }
    )
    training = features.training_set(asked, time="asked_at")
    print(training.select("customer", "amount", "total_7d", "before", "weekend").head(3).collect())
    described = TrainingSet(
        rows=training, target="late", task="classification", features=["amount", "total_7d"], time="asked_at"
    )
    for finding in features.leaks(described):
        print(f"{'ok' if finding.passed else finding.severity}: {finding.sentence}")

    for done in features.materialise(until=NOW - timedelta(minutes=1)):
        print(f"{done.view}: {done.entities} customers online")
    newest = {"customer": "c7", "at": NOW, "loaded_at": NOW, "amount": 999.0}
    with features.writer("spending") as writer:
        if not writer.position:  # where this was run before, the order has counted already
            writer.push([newest], position=b"1")
    print(features.reader("spending").read({"customer": "c7"}).as_dict())
    for compared in features.parity():
        print(f"{compared.view}: {compared.compared:,} values compared, {compared.different} differ")


if __name__ == "__main__":
    main()
