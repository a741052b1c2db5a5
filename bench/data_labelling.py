"""Labels of functions beside those of somebody who knows how often each is right; flipped labels found; rows dealt."""

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.datasets import load_digits

from bench.figures import Figure
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data import CleanSettings, Data, DataSettings, ExpectSettings, SourceSettings
from heptad.data.labelling.label_model import ABSTAINS, UNKNOWN, fit_label_model
from heptad.data.versions.splits import fit_cuts, part_number, unit_hashes
from heptad.experiments import Experiments, SearchSettings
from heptad.training import Training, ValidateSettings, find_label_errors, model_of

ACCURACIES = (0.95, 0.9, 0.6, 0.6, 0.55, 0.55, 0.55)
COVERAGE = 0.5
ROWS = 1_000_000
FLIPPED = 1 / 12


def measure() -> list[Figure]:
    """Each with what is possible, found in the same run."""
    return [_labels_of_functions(), _label_errors(), _dealing()]


def _labels_of_functions() -> Figure:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 20_000)
    right = random.random((len(truth), len(ACCURACIES))) < ACCURACIES
    voting = random.random(right.shape) < COVERAGE
    votes = np.where(voting, np.where(right, truth[:, None], 1 - truth[:, None]), ABSTAINS)
    patterns, places, counts = np.unique(votes, axis=0, return_inverse=True, return_counts=True)
    model = fit_label_model(patterns, np.full(len(patterns), UNKNOWN), counts, 2)
    found = model.posteriors(patterns).argmax(axis=1)[places.ravel()]
    odds = np.log(np.array(ACCURACIES) / (1 - np.array(ACCURACIES)))
    best = (np.where(votes == 1, odds, np.where(votes == 0, -odds, 0)).sum(axis=1) > 0).astype(int)
    voted = voting.any(axis=1)
    wrong, limit = float((found != truth)[voted].mean()), float((best != truth)[voted].mean())
    return Figure(
        name="wrong labels of seven functions, true rates unknown",
        value=wrong,
        unit="share",
        limit=limit,
        ratio=wrong / limit,
        floor="1.1 x what knowing each function's accuracy gives",
        holds=wrong <= 1.1 * limit,
    )


def _label_errors() -> Figure:
    digits = load_digits()
    random = np.random.default_rng(1)
    wrong = set(random.choice(len(digits.target), round(FLIPPED * len(digits.target)), replace=False).tolist())
    labels = [(one + random.integers(1, 10)) % 10 if row in wrong else one for row, one in enumerate(digits.target)]
    frame = pl.DataFrame(digits.data, schema=[f"x{number}" for number in range(64)])
    frame = frame.with_columns(target=pl.Series([f"d{one}" for one in labels])).with_row_index("id")
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(Path(folder) / "rows.parquet")
        workspace, project = open_workspace(Path(folder), "bench", StoreSettings()), ProjectSettings(name="bench")
        data = Data(
            workspace, project, {"rows": SourceSettings(uri="rows.parquet")}, DataSettings(target="target", key=["id"]),
            CleanSettings(), ExpectSettings(), {},
        )  # fmt: skip
        training = Training(
            workspace, project, ValidateSettings(), data, Experiments(workspace, project, SearchSettings())
        )
        found = find_label_errors(training.parting, data.collect(), model_of([], "random_forest"), 7)
    rows = [int(str(one.key["id"])) for one in found.errors]
    hits = len(wrong.intersection(rows))
    score = 2 * hits / (len(wrong) + len(rows))
    return Figure(
        name="flipped labels of digits found (F1)",
        value=score,
        unit="F1",
        limit=1.0,
        ratio=score,
        floor="0.75",
        holds=score >= 0.75,
    )


def _dealing() -> Figure:
    keys = pl.Series("k", range(ROWS))
    strata = pl.Series(["yes" if number % 10 == 0 else "no" for number in range(ROWS)])
    shares = [0.2, 0.8]
    cuts = fit_cuts(pl.LazyFrame({"hash": unit_hashes(keys[:10_000]), "stratum": strata[:10_000]}), shares)
    number = part_number(pl.col("hash"), pl.col("stratum"), shares, cuts)
    taken, limit = [], []
    for _ in range(3):
        began = time.perf_counter()
        hashes = unit_hashes(keys)
        limit.append(time.perf_counter() - began)
        pl.DataFrame({"hash": hashes, "stratum": strata}).select(number)
        taken.append(time.perf_counter() - began)
    return Figure(
        name=f"parts of {ROWS:,} rows by class",
        value=min(taken),
        unit="s",
        limit=min(limit),
        ratio=min(taken) / min(limit),
        floor="2 x hashing the keys",
        holds=min(taken) <= 2 * min(limit),
    )
