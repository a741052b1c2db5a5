"""Messages labelled by three functions, a person asked for the most telling ones, wrong labels found and corrected."""

from pathlib import Path

import numpy as np
import polars as pl

import heptad
from heptad.data import to_markdown
from heptad.training import find_label_errors, label_queue, model_of

FUNCTIONS = """
import polars as pl

link = pl.when(pl.col("links") > 1).then(pl.lit("spam")).when(pl.col("links") == 0).then(pl.lit("ham"))
capitals = pl.when(pl.col("capitals") > 0.5).then(pl.lit("spam")).when(pl.col("capitals") < 0.2).then(pl.lit("ham"))
friend = pl.when(pl.col("known")).then(pl.lit("ham")).otherwise(pl.lit("spam"))
"""
SETTINGS = """
[sources.messages]
uri = "messages.csv"
[data]
target = "kind"
key = ["id"]
ignore = ["truth"]
[labelling]
functions = ["pipeline:link", "pipeline:capitals", "pipeline:friend"]
least = 0.75
[clean]
missing_target = "keep"
[card]
owner = "The people who read abuse@example.org"
[card.columns.known]
sensitivity = "personal"
"""


def messages(count: int) -> pl.DataFrame:
    """Every third is spam, with more links and capitals; 300 came with a label, of which one in ten is wrong."""
    rng = np.random.default_rng(3)
    spam = rng.random(count) < 1 / 3
    called = np.where(rng.random(count) < 0.1, ~spam, spam)
    label = [("spam" if one else "ham") if row < 300 else None for row, one in enumerate(called)]
    return pl.DataFrame(
        {
            "id": np.arange(count),
            "links": rng.poisson(np.where(spam, 2.5, 0.3)),
            "capitals": rng.beta(2, np.where(spam, 2, 8)).round(3),
            "known": rng.random(count) < np.where(spam, 0.15, 0.7),
            "length": rng.integers(20, 400, count),
            "truth": np.where(spam, "spam", "ham"),
            "kind": label,
        }
    )


def right(rows: pl.DataFrame) -> float:
    """How many labels are the truth."""
    return float((rows["kind"] == rows["truth"]).to_numpy().mean())


def main() -> None:
    folder = Path("heptad-example-labels")
    folder.mkdir(exist_ok=True)
    came = messages(1_500)
    came.write_csv(folder / "messages.csv")
    (folder / "pipeline.py").write_text(FUNCTIONS, encoding="utf-8")
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    project = heptad.open(folder)

    version = project.data.collect()
    for one in version.body.labelling:
        print(f"{one.name} votes on {one.coverage:.0%} of the rows and is right in about {one.accuracy:.0%}")
    rows = project.data.scan(version, labelled=True).collect()
    print(f"{len(rows):,} of {len(came):,} labelled, {right(rows):.1%} of them rightly")

    model, parting = model_of([], "linear"), project.training.parting
    queue = label_queue(parting, version, model, 7, count=20)
    print(f"a person is asked for {len(queue.rows)} of {queue.unlabelled}")
    suspects = find_label_errors(parting, version, model, 7)
    print(f"{len(suspects.errors)} labels are doubted")

    # The person knows the truth, and writes it into one file.
    asked = [one.key["id"] for one in queue.rows] + [one.key["id"] for one in suspects.errors]
    told = came.filter(pl.col("id").is_in(asked)).select(
        "id", column=pl.lit("kind"), value="truth", reason=pl.lit("read by a person")
    )
    told.write_csv(folder / "told.csv")
    read, _ = project.data.corrections.correct(version, folder / "told.csv")
    better = project.data.collect()
    rows = project.data.scan(better, labelled=True).collect()
    print(f"{len(read.cells)} cells corrected, {right(rows):.1%} of the labels are right")
    print(to_markdown(project.data.cards.card(better, project.data.profile(better))).splitlines()[0])


if __name__ == "__main__":
    main()
