"""A small world that changes: rides that are late or not, until one day the reason turns into its opposite."""

import csv
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from heptad.lifecycle import Span
from heptad.project import Project

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
START = BEGIN + timedelta(days=56)
"""When the rehearsal begins."""
TURN = 60
"""The day from which on distance makes rides early instead of late."""
SETTINGS = """
[project]
name = "rides"
about = "Will a ride be late?"
[sources.rides]
uri = "rides.csv"
time = "at"
[data]
target = "late"
key = ["ride"]
time = "at"
label_time = "landed"
[search]
estimators = ["linear"]
trials = 2
folds = 2
[release]
gates = ["roc_auc >= 0.5"]
[monitor]
window = "7d"
minimum_rows = 50
[retrain]
when = ["every 7d"]
train_on = ["all", "14d"]
contenders = 1
cooldown = "0s"
"""


def make_rides(
    folder: Path, days: int = 112, a_day: int = 48, *, landing: timedelta = timedelta(hours=2), cancelled: float = 0.0
) -> Path:
    """A project folder with its table; the same rows every time.

    A ride is known to be late or not `landing` after it began; a share of them is cancelled, which is a third class.
    """
    chance = random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rides.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ride", "at", "landed", "distance", "hour", "zone", "late"])
        for day in range(days):
            for number in range(a_day):
                at = BEGIN + timedelta(days=day, minutes=number * 1440 // a_day)
                distance, zone = chance.gauss(0, 1), chance.choice("abc")
                slope = 1.5 if day < TURN else -1.5
                odds = slope * distance + (0.5 if zone == "a" else 0.0) - 0.5
                late = chance.random() < 1 / (1 + math.exp(-odds))
                outcome = "yes" if late else "no"
                if cancelled and chance.random() < cancelled * (3 if zone == "c" else 1):
                    outcome = "cancelled"
                times = [at.isoformat(), (at + landing).isoformat()]
                writer.writerow([f"r{day}-{number}", *times, round(distance, 4), at.hour, zone, outcome])
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


def play(project: Project, span: timedelta, singles: int = 0) -> None:
    """What `Project.rehearse` does, without the report: drawing it takes most of the time, and writes nothing."""
    if project.release.champion() is None:
        project.run()
    project.lifecycle.rehearse(Span(start=START, end=START + span, singles=singles))
