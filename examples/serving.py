"""Step 5: a server of its own process, a client that retries, and the log of what was answered."""

from pathlib import Path

import polars as pl
from sklearn.datasets import load_iris

import heptad
from heptad.serving import PredictionClient

SETTINGS = """
[project]
name = "iris"

[sources.flowers]
uri = "flowers.csv"

[data]
target = "species"

[search]
estimators = ["linear"]
trials = 3
"""


def main() -> None:
    folder = Path("heptad-example-serving")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    iris = load_iris()
    species = [str(iris.target_names[one]) for one in iris.target]
    table = pl.DataFrame(iris.data, schema=iris.feature_names).with_columns(species=pl.Series(species))
    table.write_csv(folder / "flowers.csv")

    project = heptad.open(folder)
    project.run()
    project.lifecycle.deploy()
    rows = table.drop("species")[[0, 60, 120]].to_dicts()
    with (
        project.serving.start_server(port=0) as server,
        PredictionClient(server.url, project.serving.endpoint, caller="example") as client,
    ):
        for answer in client.predict(rows, ids=["flower-0", "flower-60", "flower-120"]):
            print(f"{answer['id']}: {answer['label']} by {answer['version']}, warnings: {answer['warnings']}")
        again = client.predict(rows[:1], ids=["flower-0"])
        print(f"the same id again gets its first answer: {again[0]['label']}")

    print(f"{project.serving.collect_log()} answers moved into the table of predictions")
    logged = project.serving.prediction("flower-60")
    print(f"{logged.id} was asked by {logged.caller} at {logged.at:%H:%M:%S} with {logged.inputs}")


if __name__ == "__main__":
    main()
