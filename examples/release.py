"""Step 4: gates decide, a signed package becomes a version, and an altered package is refused."""

from pathlib import Path

import polars as pl
from sklearn.datasets import load_breast_cancer

import heptad
from heptad.core.errors import IntegrityError
from heptad.release import open_package, trusted_keys

SETTINGS = """
[project]
name = "tumours"

[sources.tumours]
uri = "tumours.csv"

[data]
target = "diagnosis"

[search]
estimators = ["linear"]
trials = 3

[release]
gates = ["roc_auc >= 0.9", "beats baseline", "beats champion"]
"""


def main() -> None:
    folder = Path("heptad-example-release")
    folder.mkdir(exist_ok=True)
    (folder / "heptad.toml").write_text(SETTINGS, encoding="utf-8")
    tumours = load_breast_cancer()
    diagnoses = [str(tumours.target_names[one]) for one in tumours.target]
    table = pl.DataFrame(tumours.data, schema=list(tumours.feature_names)).with_columns(diagnosis=pl.Series(diagnoses))
    table.write_csv(folder / "tumours.csv")

    project = heptad.open(folder)
    outcome = project.run()
    print(outcome.decision.body.reason)
    for gate in outcome.decision.body.gates:
        print(f"  {'holds' if gate.passed else 'fails'}: {gate.sentence}")

    champion = project.release.champion()
    if champion is None:
        raise SystemExit("The gates did not hold.")
    print(f"{champion.body.label} is champion")
    package = project.workspace.blobs.get(champion.body.package)
    trusted = trusted_keys(project.workspace)
    opened = open_package(package, trusted)
    print(f"package {opened.digest[:12]}: {len(opened.golden.rows)} golden rows replayed, {len(package):,} bytes")

    place = package.index(b"heptad")
    altered = package[:place] + b"Heptad" + package[place + 6 :]
    try:
        open_package(altered, trusted)
    except IntegrityError as error:
        print(f"one altered byte: {error.problem}")

    print(project.release.reproduce("champion").sentence)


if __name__ == "__main__":
    main()
