"""Step 6: two weeks of answers with their labels: the second week drifts, and the report says so in words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from heptad.core.clock import FileClock
from heptad.project import Project, open_project
from heptad.serving import PredictionClient

SETTINGS = """
[project]
name = "loans"

[sources.loans]
uri = "loans.csv"
time = "asked"

[data]
target = "defaulted"
key = ["loan"]
time = "asked"

[search]
estimators = ["linear"]
trials = 3
"""
START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def loans(begin: datetime, days: int, a_day: int, income: float) -> pl.DataFrame:
    """Loans asked for evenly over some days; the lower the income, the more often they default."""
    count = days * a_day
    rng = np.random.default_rng(int(begin.timestamp()))
    earned = rng.normal(income, 8.0, count).round(1)
    return pl.DataFrame(
        {
            "loan": [f"{begin:%m%d}-{number}" for number in range(count)],
            "asked": [begin + timedelta(days=days) * (number / count) for number in range(count)],
            "income": earned,
            "region": rng.choice(["north", "south"], count),
            "defaulted": np.where(rng.random(count) < 1 / (1 + np.exp((earned - 30) / 8)), "yes", "no"),
        }
    )


def serve(project: Project, clock: FileClock, rows: pl.DataFrame) -> None:
    """Ask the server for every loan on its day; each label is known a day later."""
    with (
        project.serving.start_server(port=0, clock=clock.path) as server,
        PredictionClient(server.url, project.serving.endpoint, caller="branch offices") as client,
    ):
        for _, day in rows.group_by(pl.col("asked").dt.date(), maintain_order=True):
            clock.advance_to(day["asked"][0])
            client.predict(day.select("income", "region").to_dicts(), ids=day["loan"].to_list())
    known = pl.col("asked") + timedelta(days=1)
    project.serving.add_labels(rows.select(id="loan", value="defaulted", at="asked", known_at=known))


def main() -> None:
    folder = Path("heptad-example-monitoring")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    loans(START - timedelta(days=60), 60, 40, income=35.0).write_csv(folder / "loans.csv")

    clock = FileClock(folder / "clock")
    clock.advance_to(START)
    project = open_project(folder, clock=clock.path)
    project.run()
    project.lifecycle.deploy()

    for week, income in enumerate((35.0, 24.0)):
        begin = START + week * WEEK
        serve(project, clock, loans(begin, 7, 80, income))
        clock.advance_to(begin + WEEK)
        report = project.monitoring.report(begin, begin + WEEK).body
        live = report.performance[0]
        print(f"week of {begin:%d %b}: {report.rows} answers by {report.version}, {live.labelled} labels")
        for metric in live.metrics[:1]:
            print(f"  measured {metric.name} {metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})")
        for alert in report.alerts:
            print(f"  {alert.kind}: {alert.sentence}")


if __name__ == "__main__":
    main()
