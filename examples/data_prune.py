"""A table that changes every week, with a rule for how many of its versions keep their rows."""

from pathlib import Path

import polars as pl

import heptad
from heptad.core.errors import DataError
from heptad.data import tag

SETTINGS = """
[sources.orders]
uri = "orders.csv"
[data]
target = "returned"
key = ["order"]
[retention]
keep = 2
"""


def main() -> None:
    folder = Path("heptad-example-prune")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    project = heptad.open(folder)
    for week in range(5):
        orders = pl.DataFrame({"order": range(2_000)}).with_columns(
            price=(pl.col("order") * 7 + week) % 90 + 10, returned=pl.col("order") % 3 == 0
        )
        orders.write_csv(folder / "orders.csv")
        project.data.collect()

    # What has a name stays, and so does what a model, a plan or a run needs.
    tag(project.workspace, project.data.version(1), "first-report")
    retention = project.lifecycle.retention
    done = retention.prune(retention.rule())
    for one in done.versions:
        print(f"{one.name}@{one.version} {'goes' if one.goes else 'stays'}: {'; '.join(one.reasons)}")
    print(f"freed: {done.freed.bytes:,} bytes")

    try:
        project.data.scan(project.data.version(2))
    except DataError as error:
        print(error)


if __name__ == "__main__":
    main()
