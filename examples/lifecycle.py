"""Step 7: a stream whose rule changes, played through the loop, beside the first model left as it was."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from heptad.core.clock import FileClock
from heptad.project import open_project

SETTINGS = """
[project]
name = "clicks"

[sources.clicks]
uri = "clicks.csv"
time = "shown"

[data]
target = "clicked"
key = ["impression"]
time = "shown"
label_delay = "1h"

[search]
estimators = ["linear"]
trials = 3

[release]
gates = ["roc_auc >= 0.55", "beats champion"]

[retrain]
when = ["every 21d", "roc_auc < reference - 0.1"]
train_on = ["all", "7d"]
judge = "8d"
trial = "7d"
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CHANGE = datetime(2026, 2, 20, tzinfo=UTC)
START = datetime(2026, 2, 12, tzinfo=UTC)
END = datetime(2026, 4, 2, tzinfo=UTC)


def clicks(a_day: int = 80) -> pl.DataFrame:
    """Impressions from `BEGIN` to `END`; after `CHANGE`, what was disliked is liked."""
    count = (END - BEGIN).days * a_day
    rng = np.random.default_rng(7)
    shown = [BEGIN + timedelta(days=number / a_day) for number in range(count)]
    size, hour = rng.normal(size=count), rng.integers(0, 24, count)
    taste = np.where([moment < CHANGE for moment in shown], 1.5, -1.5)
    clicked = rng.random(count) < 1 / (1 + np.exp(-taste * size - 0.05 * (hour - 12)))
    return pl.DataFrame(
        {"impression": np.arange(count), "shown": shown, "size": size, "hour": hour, "clicked": clicked}
    )


def main() -> None:
    folder = Path("heptad-example-lifecycle")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    clicks().write_csv(folder / "clicks.csv")

    clock = FileClock(folder / "clock")
    clock.advance_to(START)
    project = open_project(folder, clock=clock.path)
    played = project.rehearse(START, END, watch=lambda happening: print(f"{happening.step}: {happening.sentence}"))

    print(pl.DataFrame(played.summary.table()))
    for plan in project.lifecycle.plans():
        print(f"{plan.at:%d %b} {plan.attributes.get('outcome', 'running')}: {plan.body.triggers[0].sentence}")
    (folder / "report.html").write_text(played.report, encoding="utf-8")
    print(f"report: {folder / 'report.html'}")


if __name__ == "__main__":
    main()
