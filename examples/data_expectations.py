"""A table is held to expectations: inferred, written, taken over from another program, checked, and refused."""

import json
from pathlib import Path

import polars as pl

import heptad
from heptad.core.errors import DataError
from heptad.data import import_expectations, infer_expectations, junit_xml, render_expectations

SETTINGS = """
[sources.trips]
uri = "trips.csv"
[sources.stations]
uri = "stations.csv"
[data]
source = "trips"
target = "late"
key = ["trip"]
[expect.columns]
minutes = { min = 0, max = 240, mean = { min = 10, max = 60 } }
station = { references = { source = "stations", column = "id" } }
ticket = { matches = "^T[0-9]{4}$", mostly = 0.95, severity = "warning", about = "some machines print badly" }
[[expect.table]]
check = 'fare > 0 or ticket is None'
[[expect.table]]
volume = { min = 0.5, max = 2 }
"""


def trips(count: int, longest: int = 90) -> pl.DataFrame:
    number = pl.col("trip")
    return pl.select(trip=pl.int_range(count)).with_columns(
        minutes=number.hash(1) % longest,
        station=pl.concat_str(pl.lit("s"), number.hash(2) % 5),
        ticket=pl.when(number % 30 > 0)
        .then(pl.concat_str(pl.lit("T"), number % 9000 + 1000))
        .otherwise(pl.lit("torn")),
        fare=number.hash(3) % 20 + 1,
        late=number.hash(4) % 3 == 0,
    )


def main() -> None:
    folder = Path("heptad-example-expectations")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    pl.DataFrame({"id": [f"s{n}" for n in range(5)]}).write_csv(folder / "stations.csv")
    trips(600).write_csv(folder / "trips.csv")

    data = heptad.open(folder).data
    version = data.collect()
    print(f"version {version.body.version}: {len(version.body.findings)} expectations were held against it")
    print(infer_expectations(version.body, data.profile(version)).splitlines()[4])

    checked = data.expectations.version(version)
    (folder / "expectations.xml").write_text(junit_xml(checked), encoding="utf-8")
    (folder / "expectations.html").write_text(render_expectations(checked), encoding="utf-8")
    print(f"checked: {'passed' if checked.passed else 'broken'}")

    wrong = trips(640, longest=500).with_columns(ticket=pl.lit("torn"))
    wrong.write_csv(folder / "new.csv")
    new = data.expectations.file(folder / "new.csv")
    for place, finding in enumerate(new.findings):
        if not finding.passed:
            print(f"{finding.severity}: {finding.sentence}, such as {new.samples.get(place, ['no row'])[0]}")

    (folder / "trips.csv").write_text(wrong.write_csv(), encoding="utf-8")
    try:
        data.collect()
    except DataError as error:
        print(error.problem.splitlines()[0])

    suite = {
        "expectations": [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "fare", "min_value": 0}},
            {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "SELECT ..."}},
        ]
    }
    (folder / "suite.json").write_text(json.dumps(suite), encoding="utf-8")
    print(import_expectations(folder / "suite.json").toml())


if __name__ == "__main__":
    main()
